#!/usr/bin/env bash
# Installs what the build needs: Debian packages and the pinned wheels that libtorch, OpenVINO and the pose models come in.
# Safe to run again: what is there already is not fetched again, and then no network is needed.
set -euo pipefail

usage() {
  cat <<'EOF'
usage: scripts/setup.sh [--cuda] [--cuda-compiler] [--lint] [--baseline] [--service-tests]

  --cuda           also fetch libtorch's CUDA half and NVIDIA's libraries (2.5 GB to download, 4 GB unpacked)
  --cuda-compiler  also fetch nvcc, which compiles the kernels for cards (105 MB to download, 270 MB unpacked)
  --lint           also fetch clang-tidy, for 'scripts/test.sh --lint' (46 MB to download, 142 MB unpacked)
  --baseline       also make a virtual environment with plain PyTorch, for scripts/measure_performance.sh: it comes with
                   all of NVIDIA's libraries (2.6 GB to download, 5 GB unpacked); nothing else needs it
  --service-tests  also install chromium and PostgreSQL and make a virtual environment with what asks the service, for its
                   tests in tests/service (0.6 GB); scripts/test.sh does that itself where it may

Downloads are unpacked into $UNIANIMATE_CACHE (default: ${XDG_CACHE_HOME:-~/.cache}/unianimate.cpp)
and linked as build/deps. Every user of the machine can read them there, unless a folder above is closed, as home
folders often are: then set UNIANIMATE_CACHE to another place, for instance /opt/unianimate.cpp.
EOF
}

# What is unpacked here is for every user of the machine.
umask 022

fail() { printf 'setup.sh: %s\n' "$*" >&2; exit 1; }
say() { printf '%s\n' "-- $*"; }

want_cuda=no
want_compiler=no
want_lint=no
want_baseline=no
want_service_tests=no
for argument in "$@"; do
  case "$argument" in
    --cuda) want_cuda=yes ;;
    --cuda-compiler) want_compiler=yes ;;
    --lint) want_lint=yes ;;
    --baseline) want_baseline=yes ;;
    --service-tests) want_service_tests=yes ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; fail "unknown argument '$argument'." ;;
  esac
done

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
here="$root/scripts"
cache=${UNIANIMATE_CACHE:-${XDG_CACHE_HOME:-${HOME:?is not set; set it or UNIANIMATE_CACHE}/.cache}/unianimate.cpp}
# Debian's own Python runs pip: it is the one the package list brings, whatever else is first on the PATH.
python=/usr/bin/python3

[ "$(uname -m)" = x86_64 ] || fail "this machine is $(uname -m); the pinned libtorch wheel is for x86_64 only."

install_debian_packages() {
  local wanted missing=() package
  mapfile -t wanted < <(grep -v '^#' "$here/debian-packages.txt")
  [ "$want_service_tests" = no ] || wanted+=(chromium chromium-driver postgresql)
  if ! command -v dpkg-query >/dev/null; then
    say "this is neither Debian nor Ubuntu: the packages of scripts/debian-packages.txt are taken to be installed"
    return 0
  fi
  for package in "${wanted[@]}"; do
    dpkg-query -W -f='${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0

  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || fail "these packages are missing and need root to install; ask an administrator to run: apt-get install ${missing[*]}"
    as_root=(sudo)
  fi
  say "installing Debian packages: ${missing[*]}"
  local log
  log=$(mktemp)
  # The package lists may be absent or old on a fresh machine, so they are refreshed first; a failing refresh alone is not fatal.
  "${as_root[@]}" apt-get update >"$log" 2>&1 || true
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends \
    "${missing[@]}" >>"$log" 2>&1 ||
    fail "apt-get could not install these packages: ${missing[*]}; check the network, that this user may become root, and on Ubuntu that 'universe' is enabled (what apt-get said: $log)."
  rm -f "$log"
}

# fetch_wheels LIST FOLDER: downloads the wheels of LIST into FOLDER, each checked against its SHA-256.
fetch_wheels() {
  local list=$1 folder=$2 platforms=() minor log
  for minor in 28 27 26 25 24 18 17; do platforms+=(--platform "manylinux_2_${minor}_x86_64"); done
  platforms+=(--platform manylinux2014_x86_64)
  log=$(mktemp)
  PIP_REQUIRE_VIRTUALENV=false "$python" -m pip download --quiet --disable-pip-version-check --retries 2 --no-deps \
    --require-hashes --only-binary=:all: --no-cache-dir \
    --python-version 3.12 --implementation cp --abi cp312 --abi none "${platforms[@]}" \
    --dest "$folder" --requirement "$list" >"$log" 2>&1 || {
    ! grep -q 'DO NOT MATCH THE HASHES' "$log" ||
      fail "a wheel that was fetched is not the one pinned in scripts/$(basename "$list"): its SHA-256 differs (what pip said: $log)."
    fail "the wheels of scripts/$(basename "$list") could not be fetched; check the network (where it has a certificate of its own, PIP_CERT must name it) and run this again (what pip said: $log)."
  }
  rm -f "$log"
}

# unpack_wheels LIST NEEDED_MB PATTERN...: fetches LIST and unpacks the members that match into $deps.
unpack_wheels() {
  local list=$1 needed_mb=$2 downloads="$deps.download" wheel pattern free_mb
  shift 2
  mkdir -p "$deps" "$downloads"
  free_mb=$(df -Pm "$deps" | awk 'NR==2 {print $4}')
  [ "$free_mb" -ge "$needed_mb" ] ||
    fail "$deps has $free_mb MB free, $needed_mb MB are needed; free some space or set UNIANIMATE_CACHE to another disk."
  say "fetching the $(grep -c -- '--hash' "$list") wheels of scripts/$(basename "$list")"
  fetch_wheels "$list" "$downloads"
  for wheel in "$downloads"/*.whl; do
    for pattern in "$@"; do
      # unzip exits 11 where a pattern matches nothing in this wheel.
      unzip -q -o "$wheel" "$pattern" -x 'torch/include/fmt/*' -d "$deps" 2>/dev/null || [ $? -eq 11 ] ||
        fail "$wheel could not be unpacked into $deps."
    done
  done
  rm -rf "$downloads"
}

install_debian_packages
for tool in "$python" unzip flock sha256sum; do
  command -v "$tool" >/dev/null || fail "$tool was not found; install it and run this again."
done

cpu_list="$here/wheels-cpu.txt"
cuda_list="$here/wheels-cuda.txt"
compiler_list="$here/wheels-cuda-compiler.txt"
lint_list="$here/wheels-lint.txt"
deps="$cache/deps-$(sha256sum "$cpu_list" | cut -c1-12)"
mkdir -p "$cache" || fail "$cache cannot be made; set UNIANIMATE_CACHE to a folder that can be written to."
exec 9>"$cache/setup.lock"
flock 9

if [ ! -e "$deps/cpu.complete" ]; then
  unpack_wheels "$cpu_list" 1700 \
    'torch/include/*' torch/lib/libc10.so torch/lib/libtorch_cpu.so torch/lib/libgomp.so.1 \
    'torch-*/licenses/*' nvidia/cu13/lib/libcudart.so.13 nvidia/cu13/lib/libcupti.so.13 'nvidia_*/licenses/*' \
    'openvino/include/*' 'openvino/libs/libopenvino.so.*' 'openvino/libs/libopenvino_intel_cpu_plugin.so' \
    'openvino/libs/libopenvino_onnx_frontend.so.*' 'openvino/libs/libopenvino_tensorflow_lite_frontend.so.*' \
    'openvino/libs/libtbb.so.*' 'openvino/libs/libtbbmalloc.so.*' 'openvino-*/licenses/*' \
    mediapipe/modules/pose_detection/pose_detection.tflite mediapipe/modules/pose_landmark/pose_landmark_full.tflite \
    mediapipe/modules/hand_landmark/hand_landmark_full.tflite mediapipe/modules/hand_landmark/hand_landmark_lite.tflite \
    mediapipe/modules/face_landmark/face_landmark.tflite 'mediapipe-*/LICENSE'
  touch "$deps/cpu.complete"
fi

if [ "$want_cuda" = yes ]; then
  cuda_stamp="$deps/cuda-$(sha256sum "$cuda_list" | cut -c1-12).complete"
  if [ ! -e "$cuda_stamp" ]; then
    unpack_wheels "$cuda_list" 7000 \
      torch/lib/libc10_cuda.so torch/lib/libcaffe2_nvrtc.so torch/lib/libtorch_cuda.so torch/lib/libtorch_cuda_linalg.so \
      torch/lib/libtorch_nvshmem.so 'nvidia/*/lib/*.so*' 'nvidia_*/licenses/*'
    touch "$cuda_stamp"
  fi
fi

if [ "$want_compiler" = yes ]; then
  compiler_stamp="$deps/cuda-compiler-$(sha256sum "$compiler_list" | cut -c1-12).complete"
  if [ ! -e "$compiler_stamp" ]; then
    unpack_wheels "$compiler_list" 600 \
      'nvidia/cu13/bin/*' 'nvidia/cu13/include/*' 'nvidia/cu13/nvvm/*' 'nvidia_*/licenses/*'
    touch "$compiler_stamp"
  fi
fi

if [ "$want_lint" = yes ]; then
  lint_stamp="$deps/lint-$(sha256sum "$lint_list" | cut -c1-12).complete"
  if [ ! -e "$lint_stamp" ]; then
    unpack_wheels "$lint_list" 400 'clang_tidy/data/*' 'clang_tidy-*/licenses/*'
    touch "$lint_stamp"
  fi
fi

# make_environment NAME NEEDED_MB: a virtual environment with the wheels of scripts/wheels-NAME.txt, linked as build/NAME.
make_environment() {
  local list="$here/wheels-$1.txt" folder log free_mb
  folder="$cache/$1-$(sha256sum "$list" | cut -c1-12)"
  if [ ! -e "$folder/complete" ]; then
    free_mb=$(df -Pm "$cache" | awk 'NR==2 {print $4}')
    [ "$free_mb" -ge "$2" ] ||
      fail "$cache has $free_mb MB free, $2 MB are needed; free some space or set UNIANIMATE_CACHE to another disk."
    say "making a virtual environment with the wheels of scripts/$(basename "$list")"
    log=$(mktemp)
    rm -rf "$folder"
    # Without its own pip, which Debian has in a package of its own.
    "$python" -m venv --without-pip "$folder" 2>"$log" ||
      fail "Python's virtual environment $folder could not be made (what it said: $log)."
    PIP_REQUIRE_VIRTUALENV=false "$python" -m pip --python "$folder/bin/python" install --quiet \
      --disable-pip-version-check --retries 2 --no-deps --require-hashes --only-binary=:all: --no-cache-dir \
      --requirement "$list" >"$log" 2>&1 ||
      fail "the wheels of scripts/$(basename "$list") could not be installed; check the network and that $("$python" --version) is 3.11, 3.12 or 3.13 (what pip said: $log)."
    rm -f "$log"
    touch "$folder/complete"
  fi
  mkdir -p "$root/build"
  ln -sfn "$folder" "$root/build/$1"
  say "build/$1 is ready in $folder"
}

[ "$want_baseline" = no ] || make_environment baseline 8000
[ "$want_service_tests" = no ] || make_environment service-tests 600

# closed_folder PATH: the first folder on the way to PATH that other users cannot enter, if there is one.
closed_folder() {
  local part='' path name
  path=$(cd "$1" && pwd -P)
  local IFS=/
  for name in ${path#/}; do
    part="$part/$name"
    case $(stat -c %A "$part") in
      d????????[xt]) ;;
      *) printf '%s\n' "$part"; return 0 ;;
    esac
  done
}

# Also what an earlier run unpacked under another umask, and a checkout of one; somebody else's stays as it is.
chmod -R a+rX "$deps" "$root/models" 2>/dev/null || true
for folder in "$deps" "$root/models"; do
  closed=$(closed_folder "$folder")
  [ -z "$closed" ] ||
    say "other users of this machine cannot run the program, as $closed is closed to them and $folder lies in it; set UNIANIMATE_CACHE or move the checkout if they are to"
done

mkdir -p "$root/build"
ln -sfn "$deps" "$root/build/deps"
say "dependencies are ready in $deps"
