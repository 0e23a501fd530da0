#!/usr/bin/env bash
# Measures a model on procedural people and writes docs/quality.md: steps, guidance, noise prior, seeds and number
# formats, for both condition sets.
#
#   scripts/measure_quality.sh [MODELS [PEOPLE]]      (default: models/puppet 900000-900031)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

models=${1:-models/puppet}
people=${2:-900000-900031}
unianimate=build/release/bin/unianimate
results=build/quality

measure() {  # NAME TITLE OPTION...
  local name=$1 title=$2
  shift 2
  "$unianimate" evaluate model --models "$models" --people "$people" --output "$results/$name" --quiet "$@" >&2
  printf '\n## %s\n\n```sh\nunianimate evaluate model --people %s %s --output DIR\n```\n\n' "$title" "$people" "$*"
  awk '/^\| person/ {exit} /^\|/' "$results/$name/quality.md"
}

mkdir -p "$results"
{
  echo '# Measured quality of the embedded model'
  echo
  echo "Written by \`scripts/measure_quality.sh\` on $(date -u +%F), $(nproc) cores ($(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1))."
  echo 'What the measures are: [evaluation.md](evaluation.md). Times depend on the machine; nothing else does.'
  measure defaults 'Default settings, and what the autoencoder allows' --dtype fp32 --reconstruction
  measure bf16 'The same in bf16' --dtype bf16
  measure steps 'Steps' --dtype fp32 --steps 1,2,5,10,20,30,50
  measure guidance 'Guidance' --dtype fp32 --guidance 1,1.5,2,2.5,3
  measure noise_prior 'Noise prior, with the published timesteps' --dtype fp32 --timesteps published --steps 20 \
    --noise-prior 849,899,949,999
  measure seeds 'Seeds' --dtype fp32 --seed 1,2,3,4,5 --conditions reference
} >"$results/page.md"
mv "$results/page.md" docs/quality.md
echo docs/quality.md
