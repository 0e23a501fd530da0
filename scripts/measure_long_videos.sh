#!/usr/bin/env bash
# Measures ways of making long videos with the embedded model on procedural people: seams, drift and quality, as shown in
# docs/long-videos-measured.md. Takes hours on two cores.
#
#   scripts/measure_long_videos.sh [OUTPUT [PEOPLE]]      (default: build/long-videos 900000-900001)
# UNIANIMATE: the program to measure with.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

output=${1:-build/long-videos}
people=${2:-900000-900001}
unianimate=${UNIANIMATE:-build/release/bin/unianimate}
windows=published,published-hann,even,even-pyramid,even-hann
chains=chain,chain-overlap2,chain-color,chain-32,chain-32-overlap2-even-hann

measure() {  # NAME OPTION...
  local name=$1
  shift
  "$unianimate" evaluate long --people "$people" --output "$output/$name" --quiet "$@"
}

measure one-step --frames 1000 --steps 1 --strategies "$windows,$chains"
measure first-frame --frames 300 --steps 1 --conditions first-frame --strategies even-hann,chain,chain-color
measure four-steps --frames 300 --steps 4 --strategies "$windows,moving,moving-hann,$chains"
