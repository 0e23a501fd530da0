#!/usr/bin/env bash
# Installs what the build needs: Debian packages and the pinned wheels that libtorch comes in.
# Safe to run again: what is there already is not fetched again, and then no network is needed.
set -euo pipefail

usage() {
  cat <<'EOF'
usage: scripts/setup.sh [--cuda]

  --cuda    also fetch libtorch's CUDA half and NVIDIA's libraries (about 2.5 GB to download, 5 GB unpacked)

Downloads are unpacked into $UNIANIMATE_CACHE (default: ${XDG_CACHE_HOME:-~/.cache}/unianimate.cpp)
and linked as build/deps.
EOF
}

want_cuda=no
for argument in "$@"; do
  case "$argument" in
    --cuda) want_cuda=yes ;;
    -h | --help) usage; exit 0 ;;
    *) echo "setup.sh: unknown argument '$argument'" >&2; usage >&2; exit 2 ;;
  esac
done

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
here="$root/scripts"
cache=${UNIANIMATE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/unianimate.cpp}

fail() { printf 'setup.sh: %s\n' "$*" >&2; exit 1; }
say() { printf '%s\n' "-- $*"; }

[ "$(uname -m)" = x86_64 ] || fail "this machine is $(uname -m); the pinned libtorch wheel is for x86_64 only."

install_debian_packages() {
  local wanted missing=() package
  mapfile -t wanted < <(grep -v '^#' "$here/debian-packages.txt")
  for package in "${wanted[@]}"; do
    dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  say "installing Debian packages: ${missing[*]}"
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || fail "these packages are missing and need root to install; ask an administrator to run: apt-get install ${missing[*]}"
    as_root=(sudo)
  fi
  command -v apt-get >/dev/null || fail "apt-get was not found; install these packages another way: ${missing[*]}"
  local log
  log=$(mktemp)
  # The package lists may be absent or old on a fresh machine, so they are refreshed first; a failing refresh alone is not fatal.
  "${as_root[@]}" apt-get update >"$log" 2>&1 || true
  if ! "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}" >>"$log" 2>&1; then
    tail -n 15 "$log" >&2
    fail "apt-get could not install the packages above; is the network reachable and does this user have root? (whole log: $log)"
  fi
  rm -f "$log"
}

# fetch_wheels LIST: downloads the wheels of LIST into $downloads, each checked against its SHA-256.
fetch_wheels() {
  local platforms=() minor
  for minor in 28 27 26 25 24 17; do platforms+=(--platform "manylinux_2_${minor}_x86_64"); done
  platforms+=(--platform manylinux2014_x86_64)
  python3 -m pip download --quiet --no-deps --require-hashes --only-binary=:all: --no-cache-dir \
    --python-version 3.12 --implementation cp --abi cp312 --abi none "${platforms[@]}" \
    --dest "$downloads" --requirement "$1" ||
    fail "the wheels of $(basename "$1") could not be fetched or did not have the pinned SHA-256; is the network reachable? Run this script again to retry."
}

# unpack_wheels LIST TARGET PATTERN...: fetches LIST and unpacks the members that match into TARGET.
unpack_wheels() {
  local list=$1 target=$2 wheel pattern
  shift 2
  local needed_mb=3000 free_mb
  [ "$(basename "$list")" = wheels-cuda.txt ] && needed_mb=9000
  mkdir -p "$target"
  free_mb=$(df -Pm "$target" | awk 'NR==2 {print $4}')
  [ "$free_mb" -ge "$needed_mb" ] || fail "$target has $free_mb MB free, $needed_mb MB are needed; free some space or set UNIANIMATE_CACHE to another disk."
  downloads="$target.download"
  mkdir -p "$downloads"
  say "fetching $(grep -c -- '--hash' "$list") wheels of $(basename "$list")"
  fetch_wheels "$list"
  for wheel in "$downloads"/*.whl; do
    for pattern in "$@"; do
      # unzip exits 11 where a pattern matches nothing in this wheel.
      unzip -q -o "$wheel" "$pattern" -x 'torch/include/fmt/*' -d "$target" 2>/dev/null || [ $? -eq 11 ] ||
        fail "$wheel could not be unpacked into $target"
    done
  done
  rm -rf "$downloads"
}

install_debian_packages

cpu_list="$here/wheels-cpu.txt"
cuda_list="$here/wheels-cuda.txt"
deps="$cache/deps-$(sha256sum "$cpu_list" | cut -c1-12)"
mkdir -p "$cache"
exec 9>"$cache/setup.lock"
flock 9

if [ ! -e "$deps/cpu.complete" ]; then
  unpack_wheels "$cpu_list" "$deps" \
    'torch/include/*' torch/lib/libc10.so torch/lib/libtorch_cpu.so torch/lib/libgomp.so.1 \
    'torch-*/licenses/*' nvidia/cu13/lib/libcudart.so.13 nvidia/cu13/lib/libcupti.so.13 'nvidia_*/licenses/*'
  touch "$deps/cpu.complete"
fi

if [ "$want_cuda" = yes ]; then
  cuda_stamp="$deps/cuda-$(sha256sum "$cuda_list" | cut -c1-12).complete"
  if [ ! -e "$cuda_stamp" ]; then
    unpack_wheels "$cuda_list" "$deps" \
      torch/lib/libc10_cuda.so torch/lib/libcaffe2_nvrtc.so torch/lib/libtorch_cuda.so torch/lib/libtorch_cuda_linalg.so \
      torch/lib/libtorch_nvshmem.so 'nvidia/*/lib/*.so*' 'nvidia_*/licenses/*'
    touch "$cuda_stamp"
  fi
fi

mkdir -p "$root/build"
ln -sfn "$deps" "$root/build/deps"
say "dependencies are ready in $deps"
