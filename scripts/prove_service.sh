#!/usr/bin/env bash
# Proves of a real service, with the embedded model, that kills, hangs and a full disk lose and spoil nothing, what the queue
# costs, and that load over a long time leaves no trace. With --output the figures go into a file. No part of scripts/test.sh.
#
#   scripts/prove_service.sh PROGRAM [--minutes 60] [--only kills,hang,disk,cost,streams,upload,soak] [--output FILE]
set -euo pipefail
exec /usr/bin/python3 -B "$(dirname "${BASH_SOURCE[0]}")/../tests/service/prove.py" "$@"
