#!/usr/bin/env bash
# Distils a model to few steps in three ways (LCM and phases of the whole UNet, LCM as corrections of rank 16) and judges
# the students beside their teacher at the same number of passes and at twice as many, on procedural people. Writes
# OUTPUT/few-steps.md. Takes many hours; may be stopped at any time, and the same command goes on where it was.
#
#   scripts/judge_few_steps.sh [OUTPUT]      (default: build/few-steps)
# UNIANIMATE: the program. MODELS: the teacher. STEPS: of each training. PROCESSES: that share it. PEOPLE: to judge with.
# PASSES: how many a video is made in. VALIDATION: people that a training is validated with.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

output=${1:-build/few-steps}
unianimate=${UNIANIMATE:-build/release/bin/unianimate}
models=${MODELS:-models/puppet}
steps=${STEPS:-2000}
processes=${PROCESSES:-1}
people=${PEOPLE:-900000-900015}
passes=${PASSES:-1 2 4 8}
validation=${VALIDATION:-8}
# All end at the clean latent, as LCM does: the noise of timestep 0 would count as distance.
clean='final-level=zero'
reference="sampler=ddim timesteps=trailing $clean steps=50 guidance=2.5"

if [[ "$output$models" = *[[:space:]]* ]]; then
  echo "judge_few_steps.sh: OUTPUT and MODELS must have no spaces, found '$output' and '$models'" >&2
  exit 2
fi

train() {  # NAME METHOD LINE...
  local name=$1 method=$2 config=$output/$1.yaml
  shift 2
  {
    sed -e "s|^output:.*|output: $output/$name|" -e "s|^model:.*|model: {start: $models}|" -e "s|^steps:.*|steps: $steps|" \
      -e "s|^\(validation:.*count: \)[0-9]*|\1$validation|" "models/puppet/distil-$method.yaml"
    printf '%s\n' "$@"
  } >"$config"
  cmp -s "$config" "$output/$name.trained" && return
  "$unianimate" train "$config" --processes "$processes" --quiet >&2
  cp "$config" "$output/$name.trained"
}

judge() {  # NAME VARIANT...
  local to=$output/judged/$1 trained=$output/$1.trained
  shift
  local command=("$unianimate" evaluate model --models "$models" --people "$people" --dtype fp32 --conditions reference)
  for variant in "$reference" "$@"; do command+=(--variant "$variant"); done
  # What an older program measured, or of a student that was trained anew, does not count.
  if [ -e "$to/command" ] && [ ! "$trained" -nt "$to/command" ] && grep -q '"latent_distance"' "$to/quality.json" &&
    printf '%s\n' "${command[@]}" | cmp -s - "$to/command"; then
    return
  fi
  "${command[@]}" --output "$to" --quiet >&2
  printf '%s\n' "${command[@]}" >"$to/command"
}

# The last timestep and the edges between so many phases.
edges() {
  local list=999 j
  for ((j = $1 - 1; j > 0; --j)); do list+=,$((20 * (50 * j / $1) - 1)); done
  echo "$list"
}

mkdir -p "$output/judged"
teacher=() whole=() phased=() corrected=()
for count in $passes; do
  whole+=("models=$output/lcm/model steps=$count")
  corrected+=("lora=$output/lcm-lora/model/lora.safetensors steps=$count")
  phased+=("models=$output/phased/model timesteps=$(edges "$count") $clean")
done
for count in $(for count in $passes; do echo "$count" $((2 * count)); done | tr ' ' '\n' | sort -nu); do
  for sampler in ddim unipc; do
    teacher+=("sampler=$sampler timesteps=trailing $clean steps=$count guidance=1")
    if ((count % 2 == 0)); then teacher+=("sampler=$sampler timesteps=trailing $clean steps=$((count / 2)) guidance=2.5"); fi
  done
done
judge teacher "${teacher[@]}" "$reference seed=12" "$reference seed=13"
train lcm lcm
judge lcm "${whole[@]}"
train phased phased
judge phased "${phased[@]}"
train lcm-lora lcm 'lora: {rank: 16}'
judge lcm-lora "${corrected[@]}"

python3 scripts/few_steps_verdict.py "$output/judged" "$passes" "Written by \`scripts/judge_few_steps.sh\` on $(date -u +%F), \
$(nproc) cores ($(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1)): $steps steps of training each, teacher $models,
people $people." >"$output/page.md"
mv "$output/page.md" "$output/few-steps.md"
echo "$output/few-steps.md"
