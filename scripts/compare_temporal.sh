#!/usr/bin/env bash
# Trains UNets with temporal Transformers and with a temporal Mamba from nothing, alike in everything else, on the same
# procedural people, measures both at 8, 16 and 32 frames, the training having 8, and judges them by four points. Writes
# OUTPUT/temporal.md. Takes many hours; may be stopped at any time, and the same command goes on where it was.
#
#   scripts/compare_temporal.sh [OUTPUT]      (default: build/temporal)
# UNIANIMATE: the program. SEEDS: of the trainings. STEPS: of each. PROCESSES: that share it. PEOPLE: to measure with.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

output=${1:-build/temporal}
unianimate=${UNIANIMATE:-build/release/bin/unianimate}
seeds=${SEEDS:-1 2 3}
steps=${STEPS:-6000}
processes=${PROCESSES:-1}
people=${PEOPLE:-900000-900015}
kinds=(transformer mamba)
lengths=(8 16 32)

train() {  # KIND SEED
  local name=$1-$2
  [ -e "$output/$name/model/model.json" ] && [ ! -e "$output/$name.unfinished" ] && return
  touch "$output/$name.unfinished"
  cat >"$output/$name.yaml" <<EOF
task: unet
output: $output/$name
model: {sizes: $output/$1.json, autoencoder: models/puppet, train_clip: true}
size: [96, 128]
steps: $steps
batch_size: 1
microbatches: 2
seed: $2
data: {first: 1000000, count: 4000, coherent: 8, scattered: 4}
validation: {first: 910000, count: 16, coherent: 8, scattered: 4}
loss: {frames: 8}
optimizer: {learning_rate: 8.0e-4, beta2: 0.99, warmup_steps: 150, decay_from: 0.5, ema_decay: 0.998}
log_every: 50
validate_every: 500
sample_every: 0
save_every: 250
EOF
  "$unianimate" train "$output/$name.yaml" --processes "$processes" --quiet >&2
  rm "$output/$name.unfinished"
}

measure() {  # KIND SEED FRAMES SUFFIX OPTION...
  local to=$output/$1-$2-$3$4 model=$output/$1-$2/model frames=$3
  shift 4
  [ -e "$to/quality.json" ] ||
    "$unianimate" evaluate model --models "$model" --people "$people" --size 96x128 --frames "$frames" \
      --context-size "$frames" "$@" --dtype fp32 --conditions reference --output "$to" --quiet >&2
}

mkdir -p "$output"
cp models/puppet/model.json "$output/transformer.json"
sed '0,/"unet": {/s//"unet": {\n    "temporal": "mamba",/' models/puppet/model.json >"$output/mamba.json"
for seed in $seeds; do
  for kind in "${kinds[@]}"; do
    train "$kind" "$seed"
    for frames in "${lengths[@]}"; do
      measure "$kind" "$seed" "$frames" "" --steps 30 --timesteps published --guidance 2.5 --noise-prior 949
      measure "$kind" "$seed" "$frames" -one --steps 1 --timesteps trailing --guidance 1 --noise-prior 999
    done
  done
done

python3 scripts/temporal_verdict.py "$output" "$seeds" "${lengths[*]}" "Written by \`scripts/compare_temporal.sh\` on $(date -u +%F), \
$(nproc) cores ($(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1)): $steps steps of training each with clips of 8 frames of
96×128, people $people, one window for all frames of a video." >"$output/page.md"
mv "$output/page.md" "$output/temporal.md"
echo "$output/temporal.md"
