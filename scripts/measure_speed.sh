#!/usr/bin/env bash
# Measures presets and what they are made of on procedural people, and writes docs/speed-measured.md with its pictures.
# What is measured already in OUTPUT is not measured again: remove it after a change of program or model. Takes half an hour on
# two cores.
#
#   scripts/measure_speed.sh [OUTPUT]      (default: build/speed)
# UNIANIMATE: the program to measure with. MODELS: the models. PEOPLE, FEW: seeds for the presets, and for the rest.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

output=${1:-build/speed}
unianimate=${UNIANIMATE:-build/release/bin/unianimate}
models=${MODELS:-models/puppet}
people=${PEOPLE:-900000-900015}
few=${FEW:-900000-900003}
exactly=(--steps 30 --timesteps published --guidance 2.5 --noise-prior 949 --dtype fp32 --conditions reference)
usual=(--size 192x256 --frames 8)
other=(--size 96x128 --frames 8)

presets=(exact close balanced draft sketch)
# Each beside the exact video: what makes the presets, and what did not get into one.
options=(exact
         guidance-every=2 guidance-every=3 guidance-interval=200-999 reuse-every=2 reuse-every=3 reuse-every=5 extrapolate=true
         'guidance-every=2 reuse-every=3' 'timesteps=991-40 steps=20' 'timesteps=991-40 steps=20 reuse-every=2'
         'timesteps=991-40 steps=20 guidance-every=2' 'timesteps=991-40 steps=12' 'timesteps=991-40 steps=12 reuse-every=3'
         'timesteps=949-50 steps=8' 'timesteps=949-50 steps=6 reuse-every=3' 'timesteps=949-60 steps=5 reuse-every=4'
         steps=15 steps=10 'timesteps=trailing sampler=dpmpp-2m steps=15' 'timesteps=949-40 sampler=dpmpp-2m steps=10'
         'timesteps=949-90 sampler=unipc steps=4')

measure() {  # NAME SEEDS OPTION... -- VARIANT...
  local name=$1 seeds=$2 arguments=()
  shift 2
  while [ "$1" != -- ]; do arguments+=("$1"); shift; done
  shift
  for variant in "$@"; do arguments+=(--variant "$variant"); done
  [ -e "$output/$name/quality.json" ] ||
    "$unianimate" evaluate model --models "$models" --people "$seeds" "${exactly[@]}" "${arguments[@]}" \
      --output "$output/$name" --quiet >&2
}

table() {  # NAME
  printf '\n'
  sed -n '/^## Beside the first variant/,/^## Every/{/^|/p}' "$output/$1/quality.md" | sed 's/^| reference, /| /'
  printf '\n![distance over the work that is saved](speed/%s.png)\n' "$1"
}

mkdir -p "$output" docs/speed
measure presets "$people" "${usual[@]}" -- "${presets[@]}"
measure presets-other "$few" "${other[@]}" -- "${presets[@]}"
measure options "$few" "${usual[@]}" -- "${options[@]}"
for name in presets presets-other options; do cp "$output/$name/variants.png" "docs/speed/$name.png"; done
cp "$output/presets/contact_sheet.png" docs/speed/contact_sheet.png
{
  cat <<EOF
# Measured: presets and single options

Written by \`scripts/measure_speed.sh\` on $(date -u -r "$output/presets/quality.json" +%F), $(nproc) cores ($(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1)),
with the embedded model and \`${exactly[*]}\`: 62 passes for an exact video. What presets and options do:
[speed.md](speed.md). Work is counted in whole passes of this network, which has three levels; how much of the published
one each preset leaves out stands in speed.md. "Times as fast" compares whole videos and depends on the machine; nothing
else does. Means over people; PSNR, SSIM, figure PSNR and consistency are those to the exact videos, the distance of latents is
‖x − x₁‖ / ‖x₁‖ with x the clean latents and x₁ those of the exact videos. Number formats and the small decoder stand in speed.md.

## Presets, people $people, 8 frames of 192x256
EOF
  table presets
  printf '\n## Presets, people %s, 8 frames of 96x128, for which this model was not trained last\n' "$few"
  table presets-other
  printf '\n![the videos](speed/contact_sheet.png)\n'
  printf '\n## Single options, and what did not get into a preset, people %s, 8 frames of 192x256\n' "$few"
  table options
} >"$output/page.md"
mv "$output/page.md" docs/speed-measured.md
echo docs/speed-measured.md
