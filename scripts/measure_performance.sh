#!/usr/bin/env bash
# Measures the models beside plain PyTorch, and what `--dry-run` estimates beside what happens, and writes
# docs/performance-measured.md. Takes a quarter of an hour on two cores; nothing else should run meanwhile.
#
#   scripts/measure_performance.sh [OUTPUT]      (default: build/performance)
# Needs scripts/setup.sh --baseline and a build of unianimate, model_benchmark and write_rule_models. What is measured
# already in OUTPUT is not measured again: remove all of it but "published" after a change of the program.
# BUILD: the build (build/release). ROUNDS: of each number format (5). PUBLISHED: a folder with models of the published
# sizes; without it some with meaningless weights are written (10 GB).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

output=${1:-build/performance}
bin=${BUILD:-build/release}/bin
rounds=${ROUNDS:-5}
python=build/baseline/bin/python
published=${PUBLISHED:-$output/published}

[ -x "$python" ] || {
  printf 'measure_performance.sh: there is no %s; run scripts/setup.sh --baseline first\n' "$python" >&2
  exit 1
}

# estimate NAME OPTION...: the plan of a video and what came of it, a row for each phase.
estimate() {
  local name=$1 folder="$output/$1"
  shift
  [ ! -e "$folder/rows.md" ] || return 0
  mkdir -p "$folder"
  local order=(animate "$@" --output "$folder/video.mp4" --json --quiet)
  "$bin/unianimate" "${order[@]}" --dry-run >"$folder/plan.json"
  "$bin/unianimate" "${order[@]}" >"$folder/lines.json"
  "$python" - "$folder" >"$folder/rows.new" <<'EOF'
import json, pathlib, sys
folder = pathlib.Path(sys.argv[1])
plan = json.loads((folder / "plan.json").read_text())
lines = [json.loads(line) for line in (folder / "lines.json").read_text().splitlines()]
result = next(line for line in lines if line["event"] == "result")
found = {}
for phase in result["phases"]:
    name = phase["name"].rsplit(" ", 1)[0] if "/" in phase["name"] else phase["name"]
    seconds, operations = found.get(name, (0, 0))
    found[name] = (seconds + phase["seconds"], operations + (phase["operations"] or 0))
for phase in plan["estimated_phases"]:
    seconds, operations = found.get(phase["name"], (0, 0))
    speed = f"{operations / seconds / 1e12:.3f}" if operations else ""
    print(f"| {phase['name']} | {phase['seconds']:.1f} | {seconds:.1f} | {speed} |")
estimated, taken = plan["estimated_seconds"], sum(seconds for seconds, _ in found.values())
print(f"| all | {estimated:.1f} | {taken:.1f}, estimated {estimated / taken - 1:+.0%} | |")
EOF
  mv "$folder/rows.new" "$folder/rows.md"
}

person() {  # SIZE
  [ -e "$output/person-$1" ] || "$bin/unianimate" puppet --seed 7 --size "$1" --frames 24 --fps 8 --output "$output/person-$1" --quiet
}

mkdir -p "$output"
if [ ! -e "$output/baseline.md" ]; then
  "$python" benchmarks/pytorch_baseline.py --against "$bin/model_benchmark" --rounds "$rounds" \
    --output "$output/baseline.json" >"$output/baseline.new"
  mv "$output/baseline.new" "$output/baseline.md"
fi
person 192x256
person 256x384
[ -e "$published/model.json" ] || "$bin/write_rule_models" "$published" published
small=(--models models/puppet --reference "$output/person-192x256/reference.png" --interval 1 --frames 24)
large=(--models "$published" --reference "$output/person-256x384/reference.png" --size 256x384 --interval 1 --frames 8
       --timesteps trailing)
estimate small "${small[@]}" --poses "$output/person-192x256/poses"
estimate small-steps "${small[@]}" --poses "$output/person-192x256/poses" --steps 10 --guidance 2.5
estimate small-motion "${small[@]}" --motion "$output/person-192x256/video.mp4"
estimate large "${large[@]}" --poses "$output/person-256x384/poses" --steps 1

{
  cat <<EOF
# Measured: the models beside plain PyTorch, and estimates beside what happens

Written by \`scripts/measure_performance.sh\` on $(date -u -r "$output/baseline.md" +%F), $(nproc) cores
($(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1)). What the figures mean: [performance.md](performance.md).

## Beside plain PyTorch

The published UNet and decoder with random weights, on the same cores and with the same libtorch, in turns in
$(printf '%s' "$rounds") rounds after one that warms up.

EOF
  cat "$output/baseline.md"
  estimated() {  # NAME TITLE
    printf '\n## %s\n\n| phase | estimated, seconds | taken, seconds | TFLOP/s |\n| --- | --- | --- | --- |\n' "$2"
    cat "$output/$1/rows.md"
  }
  estimated small 'Estimated and taken: the embedded model, 24 frames of 192x256, one pass'
  estimated small-steps 'The same with 10 steps and guidance'
  estimated small-motion 'The same from a motion'
  estimated large 'Weights of the published shapes, 8 frames of 256x384, one step with guidance'
} >"$output/page.md"
cp "$output/page.md" docs/performance-measured.md
printf 'docs/performance-measured.md is written\n'
