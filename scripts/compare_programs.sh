#!/usr/bin/env bash
# Makes the same things with two builds of the program on one machine and compares them byte for byte.
set -euo pipefail

usage() {
  cat <<'USAGE'
usage: scripts/compare_programs.sh OLD NEW [FOLDER]

  OLD, NEW  two builds of the program unianimate, for example from before and after a change that is to change nothing
  FOLDER    where their files go and stay, in old/ and new/ (default: a temporary folder, removed at the end)

Videos short, long, chained, resumed in the middle, of two processes, in each kind of file; poses of a video; a training,
and one that was stopped and gone on with; an evaluation. Takes some minutes. Prints each file that is not the same in
both and exits with 1 where there is one.
USAGE
}

case "${1:-}" in -h | --help) usage; exit 0 ;; esac
[ $# -eq 2 ] || [ $# -eq 3 ] || { usage >&2; exit 2; }
old=$(readlink -e "$1") && new=$(readlink -e "$2") || { printf 'compare_programs.sh: no program at %s or %s\n' "$1" "$2" >&2; exit 2; }
if [ $# -eq 3 ]; then
  folder=$3
  mkdir -p "$folder"
  [ -z "$(ls -A "$folder")" ] || { printf 'compare_programs.sh: %s is not empty\n' "$folder" >&2; exit 2; }
else
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
fi
export GOMP_SPINCOUNT=2000

# train_yaml TASK OUTPUT: a training of a few seconds.
train_yaml() {
  cat <<YAML
task: $1
output: $2
model: {sizes: sizes.json$([ "$1" != unet ] || printf ', autoencoder: trained-autoencoder/model')}
size: [32, 48]
steps: 8
batch_size: 1
microbatches: 2
data: {count: 4$([ "$1" != unet ] || printf ', coherent: 3, scattered: 2')}
validation: {count: 2$([ "$1" != unet ] || printf ', coherent: 3, scattered: 2')}
optimizer: {learning_rate: 4.0e-3, warmup_steps: 5, ema_decay: 0.9}
$([ "$1" != unet ] || printf 'loss: {frames: 3}')
log_every: 1
validate_every: 0
sample_every: 0
save_every: 4
YAML
}

sizes_json() {
  cat <<'JSON'
{"unet": {"dim": 8, "head_dim": 4, "context_dim": 8, "dim_mult": [1, 2], "num_res_blocks": 1, "num_heads": 2,
          "num_tokens": 2, "concat_dim": 4, "norm_groups": 4},
 "autoencoder": {"ch": 8, "ch_mult": [1, 2, 2], "num_res_blocks": 1, "z_channels": 4, "norm_groups": 4,
                 "scale_factor": 1.0},
 "clip": {"embed_dim": 8,
          "vision": {"width": 8, "layers": 1, "heads": 2, "mlp_ratio": 2, "image_size": 16, "patch_size": 8},
          "text": {"width": 8, "layers": 2, "heads": 1, "context_length": 4, "vocab_size": 3}}}
JSON
}

# make PROGRAM: everything, into the folder that it is started in.
make() {
  local program=$1 video="--size 96x128 --steps 3 --threads 1 --quiet" person job
  "$program" puppet --seed 7 --frames 60 --output person --quiet >/dev/null
  person="--reference person/reference.png --poses person/poses"
  # shellcheck disable=SC2086
  {
    "$program" animate $person $video --frames 8 --output short.mkv
    "$program" animate $person $video --frames 8 --output short/
    "$program" animate $person $video --frames 8 --output short.mp4
    "$program" animate $person $video --frames 8 --output short.webm
    "$program" animate $person $video --frames 8 --output short.gif
    "$program" animate $person $video --frames 8 --dtype fp32 --conditions first-frame --output first_frame.mkv
    "$program" animate $person $video --frames 6 --eta 0.5 --guidance 1 --timestep-spacing trailing --output eta.mkv
    for schedule in moving even published; do
      "$program" animate $person $video --frames 30 --interval 1 --context-size 12 --context-overlap 4 \
        --context-schedule $schedule --context-weights pyramid --output $schedule.mkv
    done
    "$program" animate $person $video --frames 24 --interval 1 --chain --segment-size 8 --segment-overlap 2 \
      --color-match --output chain.mkv
    "$program" animate $person $video --frames 16 --interval 1 --processes 2 --output processes.mkv
    "$program" animate --reference person/reference.png --motion person/video.mp4 $video --frames 6 --output motion.mkv
  } >/dev/null
  # Stopped a little later each time, a job is resumed in the middle of many a phase.
  for job in 0.4 0.8 1.2 1.6 2.0; do
    # shellcheck disable=SC2086
    { timeout --signal KILL $job "$program" animate $person $video --frames 24 --interval 1 --eta 0.3 \
      --save-every 1 --output resumed.mkv >/dev/null || true; } 2>/dev/null
  done
  if [ -d resumed-job ]; then "$program" resume resumed-job --quiet >/dev/null; fi
  # On a machine so busy that each was stopped before its first step nothing is there to resume.
  # shellcheck disable=SC2086
  [ -e resumed.mkv ] ||
    "$program" animate $person $video --frames 24 --interval 1 --eta 0.3 --output resumed.mkv --quiet >/dev/null
  "$program" align --reference person/reference.png --motion person/video.mp4 --output poses --quiet >/dev/null
  sizes_json >sizes.json
  train_yaml autoencoder trained-autoencoder >autoencoder.yaml
  train_yaml unet trained-unet >unet.yaml
  train_yaml unet stopped-unet >stopped.yaml
  "$program" train autoencoder.yaml --threads 1 --quiet >/dev/null
  "$program" train unet.yaml --threads 1 --quiet >/dev/null
  timeout --signal INT 0.7 "$program" train stopped.yaml --threads 1 --quiet >/dev/null 2>&1 || true
  "$program" train stopped.yaml --threads 1 --quiet >/dev/null
  "$program" evaluate model --people 900000-900001 --frames 4 --steps 1,2 --threads 1 --output quality --quiet >/dev/null
  # Times are no two runs' same: the last two columns of the table; the state of a training, whose weights are in model/ too.
  find . -name '*.json*' -exec sed -i -E 's/"(seconds[a-z_]*|[a-z_]*seconds)": *[0-9.e+-]+/"\1":0/g' {} +
  sed -i -E 's/^(\|.*\|)( *[0-9.]+ *\|){2}$/\1/' quality/quality.md
  rm -f -- */state.safetensors
  # The name says of what and how it was detected, by a hash that may change.
  for found in */detected-*.json; do mv "$found" "${found%-*}.json"; done
}

for which in old new; do
  mkdir "$folder/$which"
  (cd "$folder/$which" && make "${!which}")
done
if diff -r -q "$folder/old" "$folder/new"; then
  printf '%d files, the same from both programs\n' "$(find "$folder/new" -type f | wc -l)"
else
  exit 1
fi
