#!/usr/bin/env bash
# Sets up, builds the program and lets it animate a figure drawn here, with small models of arbitrary weights.
# The result, demo/out.mp4, shows that everything works together; it does not show a person.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf '\n-- %s\n' "$*"; }
bin=build/release/bin

scripts/setup.sh

say "building the program"
cmake --preset release --log-level=WARNING
cmake --build --preset release --target unianimate write_rule_models draw_demo_pictures

say "drawing a figure and its poses: demo/reference.png, demo/poses"
"$bin/draw_demo_pictures" demo
# model.json is written last.
if [ ! -e demo/models/model.json ]; then
  say "writing small models of arbitrary weights: demo/models"
  "$bin/write_rule_models" demo/models small
fi

say "animating it"
"$bin/unianimate" animate --models demo/models --reference demo/reference.png --poses demo/poses \
  --size 192x256 --frames 8 --steps 5 --comparison --output demo/out.mp4

cat <<EOF

demo/out.mp4 has three columns: the reference picture, the pose, the result.
The weights of these models are arbitrary numbers, so the result is coloured noise, not a person: this run checks
the plumbing from pictures to video and nothing more. For a real animation put the published checkpoints into
checkpoints/ (README.md says which and how), then:

  $bin/unianimate models list
  $bin/unianimate animate --reference person.jpg --motion dance.mp4 --output person.mp4
EOF
