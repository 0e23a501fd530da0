#!/usr/bin/env bash
# Tries everything that an NVIDIA card computes, and measures it; see docs/gpu.md.
set -euo pipefail

usage() {
  cat <<'USAGE'
usage: scripts/gpu_check.sh [--device cuda|cpu] [--only PART]... [--output FOLDER] [--minutes N] [--models FOLDER]
       scripts/gpu_check.sh --pack [FILE]

  --device   cuda (default), or cpu to rehearse everything with small sizes in the card's place
  --only     one of the parts below; may be given several times (default: golden, kernels, bench)
               golden   models and a short video against numbers of the published code, in fp32, bf16 and fp16
               kernels  this program's kernels alone, also under compute-sanitizer
               bench    models and whole videos of the published sizes, beside plain PyTorch
               profile  where the time of one call of the UNet goes, kernel by kernel
               train    goes on training the model of --models; run again, it goes on where it was, bit for bit
  --output   new folder for gpu_check.json, gpu_check.md, log.txt and a trained model (default: gpu_check-results); where
             something stands there already, NAME-2, NAME-3, ... is taken
  --minutes  after which no new step begins and the one that runs is ended (default: 9)
  --models   folder of the model that `train` begins with (default: models/puppet, where it is there)
  --pack     instead of all below, builds a .tar.xz (default: build/gpu_check.tar.xz) that needs nothing but itself on
             another machine: unpack it there and run its scripts/gpu_check.sh

libtorch is that of the PyTorch that $PYTHON (default: python3) finds, else what scripts/setup.sh --cuda fetched. A
pack's programs are taken as they are where they start, else built from its sources. Prints "N passed, N failed" and
exits with 1 unless every step passed.
USAGE
}

fail() { printf 'gpu_check.sh: %s\n' "$*" >&2; exit 2; }
say() { printf '\n-- %s\n' "$*"; }

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
device=cuda
parts=()
output=$PWD/gpu_check-results
minutes=9
models=
pack=
while [ $# -gt 0 ]; do
  case "$1" in
    --device | --only | --output | --minutes | --models)
      [ $# -ge 2 ] || { usage >&2; fail "$1 needs a value."; } ;;
  esac
  case "$1" in
    --device) device=$2; shift ;;
    --only) parts+=("$2"); shift ;;
    --output) output=$(realpath -m "$2"); shift ;;
    --minutes) minutes=$2; shift ;;
    --models) models=$(realpath -m "$2"); shift ;;
    --pack)
      pack=$root/build/gpu_check.tar.xz
      case "${2:-}" in '' | --*) ;; *) pack=$(realpath -m "$2"); shift ;; esac ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; fail "unknown argument '$1'." ;;
  esac
  shift
done
case "$device" in cpu | cuda) ;; *) fail "--device is cuda or cpu, not '$device'." ;; esac
[[ $minutes =~ ^[1-9][0-9]*$ ]] || fail "--minutes expects a whole number, not '$minutes'."
[ ${#parts[@]} -gt 0 ] || parts=(golden kernels bench)
for part in "${parts[@]}"; do
  case "$part" in golden | kernels | bench | profile | train) ;; *) fail "--only knows no part '$part'." ;; esac
done

[ -n "$models" ] || [ ! -d "$root/models/puppet" ] || models=$root/models/puppet
case " ${parts[*]} " in
  *' train '*) [ "$device" = cpu ] || [ -n "$models" ] || fail "train needs --models, the folder of the model to go on with." ;;
esac

programs=(gpu_check golden_clip_test models_golden_test cuda_kernels_tests kernels_cuda_test)
golden=(unet_tiny unet_tiny_batch2 vae_tiny clip_tiny pipeline_short pipeline_long)

# ---- the pack ----

# packages PATTERN...: the installed ones that each pattern stands for, as versions of Debian and Ubuntu name them
# otherwise.
packages() {
  local pattern found
  for pattern in "$@"; do
    found=$(dpkg-query -W -f '${db:Status-Status} ${binary:Package}\n' "$pattern" 2>/dev/null | sed -n 's/^installed //p') || true
    [ -n "$found" ] || fail "--pack takes libraries out of Debian's packages, and no package $pattern is installed."
    printf '%s\n' "$found"
  done
}

# copy_prefix FOLDER: headers, static libraries and configurations of what the sources need, out of Debian's packages. All
# headers lie in one folder, as other compilers do not look into Debian's second one.
copy_prefix() {
  local prefix=$1 names file target
  names=$(packages zlib1g-dev libpng-dev 'libjpeg*-turbo*-dev' libwebp-dev libfmt-dev nlohmann-json3-dev libgtest-dev \
    libgmock-dev libopencv-core-dev libopencv-imgproc-dev libxxhash-dev 'libfmt[0-9]*' 'libtbb12*')
  # shellcheck disable=SC2086 # names of packages
  dpkg -L $names |
    grep -v '/opencv2/core/cuda/' |
    grep -E '/include/|/cmake/|/lib(z|png|jpeg|webp|webpdemux|gtest|gtest_main|gmock|gmock_main|opencv_core|opencv_imgproc)\.a$|/libfmt\.so|/libtbb\.so\.12$' |
    while read -r file; do
      [ -f "$file" ] || continue
      target=$prefix/${file#/usr/}
      target=${target/include\/x86_64-linux-gnu/include}
      mkdir -p "$(dirname "$target")"
      case "$file" in *.a) strip --strip-unneeded -o "$target" "$file" ;; *) cp -L "$file" "$target" ;; esac
    done
}

make_pack() {
  local name=unianimate-gpu-check program file bytes
  local most_bytes=12000000
  command -v dpkg >/dev/null || fail "--pack takes libraries out of Debian's packages, and this is neither Debian nor Ubuntu."
  say "building what goes into the pack"
  export CCACHE_BASEDIR=$root
  cd "$root"
  cmake --preset subset -B build/gpu_check -DUNIANIMATE_STATIC_LIBRARIES=ON -DCMAKE_SKIP_RPATH=ON --log-level=WARNING
  cmake --build build/gpu_check --target "${programs[@]}" unianimate_cuda

  say "packing"
  folder=$(mktemp -d) # not local: the trap needs it
  trap 'rm -rf "$folder"' EXIT
  mkdir -p "$folder/$name/bin" "$folder/$name/tests/data/golden"
  # Without what the preset `subset` leaves out.
  git ls-files CMakeLists.txt CMakePresets.json LICENSE cmake src tests benchmarks examples scripts |
    grep -vE '^(tests/(data|fuzz|media|pose|evaluation|family|pipeline|training|studio|tools|cli)|src/unianimate/(studio|cli))/' |
    xargs cp --parents -t "$folder/$name"
  git describe --always --dirty >"$folder/$name/commit"
  for file in "${golden[@]}"; do cp "tests/data/golden/$file.safetensors" "$folder/$name/tests/data/golden"; done
  for program in "${programs[@]}" libunianimate_cuda.so; do
    strip -o "$folder/$name/bin/$program" "build/gpu_check/bin/$program"
  done
  copy_prefix "$folder/$name/prefix"
  mkdir -p "$(dirname "$pack")"
  tar -C "$folder" --sort=name --owner=0 --group=0 -cf - "$name" | xz -9e >"$pack"
  bytes=$(stat -c %s "$pack")
  printf '%s: %d bytes\n' "$pack" "$bytes"
  [ "$bytes" -le "$most_bytes" ] || fail "the pack is larger than $most_bytes bytes."
}

if [ -n "$pack" ]; then
  make_pack
  exit 0
fi

# ---- libtorch and the programs ----

# new_folder WANTED: makes it, or the first of WANTED-2, WANTED-3, ... where something stands already, and says which.
new_folder() {
  local folder=$1 number=1
  mkdir -p "$(dirname "$folder")"
  until mkdir "$folder" 2>/dev/null || { [ -d "$folder" ] && [ -z "$(ls -A "$folder")" ]; }; do
    [ -e "$folder" ] || [ -L "$folder" ] || fail "the folder $folder cannot be made."
    number=$((number + 1))
    folder=$1-$number
  done
  printf '%s\n' "$folder"
}

# What is built serves every device; results and a training belong to one.
built=$root/build/gpu_check-work
work=$built/$device
deps=$built/deps
mkdir -p "$work"
output=$(new_folder "$output")
log=$output/log.txt
python=${PYTHON:-python3}

# The folder in which torch/ and nvidia/ lie side by side.
find_libtorch() {
  local found
  found=$("$python" -c 'import importlib.util as u, os; print(os.path.dirname(u.find_spec("torch").submodule_search_locations[0]))' 2>>"$log") ||
    found=$root/build/deps
  [ -e "$found/torch/lib/libtorch_cpu.so" ] ||
    fail "there is no libtorch: $python finds no PyTorch, and build/deps is not there (scripts/setup.sh --cuda)."
  printf '%s\n' "$found"
}

# Links to libtorch without its copy of fmt, which would come before ours.
link_deps() {
  local site=$1 entry
  rm -rf "$deps"
  mkdir -p "$deps/torch/include"
  ln -s "$site/torch/lib" "$deps/torch/lib"
  for entry in "$site"/torch/include/*; do
    [ "$(basename "$entry")" = fmt ] || ln -s "$entry" "$deps/torch/include/"
  done
  ln -s "$site/nvidia" "$deps/nvidia"
}

# Without arguments gpu_check says how it is called, if it starts.
starts() { [ -x "$1/gpu_check" ] && { "$1/gpu_check" >>"$log" 2>&1 || [ $? -eq 2 ]; }; }

build_programs() {
  local options=() architecture targets=("${programs[@]}" unianimate_cuda)
  if [ -d "$root/prefix" ]; then
    options+=("-DCMAKE_PREFIX_PATH=$root/prefix" -DCMAKE_LIBRARY_ARCHITECTURE=x86_64-linux-gnu -DUNIANIMATE_STATIC_LIBRARIES=ON)
  fi
  architecture=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2>/dev/null | head -1 | tr -d .) || true
  [ -z "$architecture" ] || options+=("-DUNIANIMATE_CUDA_ARCHITECTURES=$architecture")
  if ! cmake -S "$root" -B "$built/build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DUNIANIMATE_SUBSET=ON \
    -DUNIANIMATE_WARNINGS_AS_ERRORS=OFF "-DUNIANIMATE_DEPS_DIR=$deps" "${options[@]}" >>"$log" 2>&1; then
    tail -20 "$log" >&2
    return 1
  fi
  # Without a CUDA compiler the program computes through ATen.
  grep -q 'UNIANIMATE_NVCC:.*nvcc' "$built/build/CMakeCache.txt" || targets=(gpu_check golden_clip_test models_golden_test cuda_kernels_tests)
  cmake --build "$built/build" --target "${targets[@]}" >>"$log" 2>&1 || { grep -m5 -A5 -e 'error' -e 'FAILED' "$log" >&2; return 1; }
}

site=$(find_libtorch)
link_deps "$site"
library_path=$site/torch/lib:$site/nvidia/cu13/lib:$root/prefix/lib/x86_64-linux-gnu:/usr/local/cuda/lib64
bin=$root/bin
export LD_LIBRARY_PATH=$bin:$library_path
if ! starts "$bin"; then
  say "building, as there are no programs here that start"
  bin=$built/build/bin
  export LD_LIBRARY_PATH=$bin:$library_path
  started=$SECONDS
  build_programs || fail "the programs could not be built; $log has all that was said."
  printf 'built in %d s\n' $((SECONDS - started))
  starts "$bin" || fail "the programs that were built do not start; $log says why."
fi

# ---- steps ----

deadline=$((60 * minutes)) # SECONDS counts from the script's start
passed=0
failed=0
: >"$work/steps.tsv"

# step SECONDS NAME COMMAND...: runs the command for so long at most and writes down what came of it.
step() {
  local limit=$1 name=$2 begun=$SECONDS left=$((deadline - SECONDS)) status=0 result
  shift 2
  [ "$limit" -lt "$left" ] || limit=$left
  if [ "$limit" -le 0 ]; then
    result='failed: no time was left'
  else
    printf '\n-- %s: %s\n' "$name" "$*" >>"$log"
    timeout --kill-after=5 "$limit" "$@" >>"$log" 2>&1 || status=$?
    case "$status" in
      0) result=passed ;;
      77) result='skipped: there is no card' ;;
      124 | 137) result="failed: it took more than $limit s" ;;
      *) result="failed: exit status $status" ;;
    esac
  fi
  case "$result" in passed) passed=$((passed + 1)) ;; failed*) failed=$((failed + 1)) ;; esac
  printf '%-28s %s (%d s)\n' "$name" "$result" $((SECONDS - begun))
  printf '%s\t%s\t%d\n' "$name" "$result" $((SECONDS - begun)) >>"$work/steps.tsv"
}

sizes=()
[ "$device" = cuda ] || sizes=(--tiny)
check=("$bin/gpu_check" --device "$device" --output "$work" "${sizes[@]}")
on_device='*'
[ "$device" = cpu ] || on_device='*_cuda*'

run_golden() {
  local test
  for test in models_golden_test golden_clip_test; do
    step 200 "$test" "$bin/$test" "--gtest_filter=$on_device" "--gtest_output=json:$work/golden-$test.json"
    # GoogleTest is content where a filter leaves nothing.
    ! grep -qsm1 '^  "tests": 0,' "$work/golden-$test.json" || step 5 "$test tried nothing" false
  done
}

run_kernels() {
  [ "$device" = cuda ] || step 300 cuda_kernels_tests "$bin/cuda_kernels_tests"
  if [ ! -x "$bin/kernels_cuda_test" ]; then
    echo "skipped: kernels_cuda_test was not built, as there is no nvcc"
    return
  fi
  step 120 kernels_cuda_test "$bin/kernels_cuda_test"
}

# The kernels once more, after all other parts, as nobody knows how long it takes.
run_sanitizer() {
  local tool sanitizer
  sanitizer=$(command -v compute-sanitizer || echo /usr/local/cuda/bin/compute-sanitizer)
  if [ "$device" = cpu ] || [ ! -x "$sanitizer" ]; then
    echo "skipped: compute-sanitizer is not here, or has no card to watch"
    return 0
  fi
  for tool in memcheck racecheck initcheck; do
    step 60 "$tool" "$sanitizer" --tool "$tool" --error-exitcode 1 "$bin/kernels_cuda_test"
  done
}

run_bench() {
  step 240 'models' "${check[@]}" bench
  step 300 'whole videos' "${check[@]}" clip
  step 120 'plain PyTorch' "$python" "$root/benchmarks/pytorch_baseline.py" --device "$device" "${sizes[@]}" \
    --golden "$root/tests/data/golden" --output "$work/pytorch.json"
}

run_profile() { step 200 'kernel by kernel' "${check[@]}" profile; }

run_train() {
  local start=() seconds=$((deadline - SECONDS - 30))
  [ "$device" = cpu ] || start=(--models "$models")
  [ "$device" = cuda ] || seconds=5
  step $((seconds + 30)) 'training' "${check[@]}" train --seconds "$seconds" "${start[@]}"
  [ ! -d "$work/training/model" ] || cp -r "$work/training/model" "$output"
}

# What a report has to name, a line each: name, tab, value.
describe_machine() {
  printf 'date\t%s\n' "$(date -u '+%F %R UTC')"
  printf 'program\t%s\n' "$(cat "$root/commit" 2>/dev/null || git -C "$root" describe --always --dirty 2>/dev/null || echo unknown)"
  printf 'programs\t%s\n' "$([ "$bin" = "$root/bin" ] && echo 'as they came' || echo 'built here')"
  printf 'processor\t%s, %s cores\n' "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1)" "$(nproc)"
  printf 'libtorch\t%s\n' "$(sed -n "s/^__version__ = '\(.*\)'/\1/p" "$site/torch/version.py" 2>/dev/null || echo unknown)"
  printf 'sizes\t%s\n' "$([ "$device" = cuda ] && echo published || echo 'small, for trying the script out')"
  command -v nvidia-smi >/dev/null || return 0
  local field
  for field in name driver_version memory.total compute_cap clocks.max.sm clocks.max.memory power.limit; do
    printf '%s\t%s\n' "$field" "$(nvidia-smi "--query-gpu=$field" --format=csv,noheader 2>/dev/null | head -1)"
  done
}

# Clocks, power and temperature once a second until the script ends.
watch_card() {
  command -v nvidia-smi >/dev/null || return 0
  nvidia-smi --query-gpu=clocks.sm,power.draw,temperature.gpu --format=csv,noheader,nounits -l 1 >"$work/clocks.csv" 2>/dev/null &
  watcher=$!
  trap 'kill "$watcher" 2>/dev/null || true' EXIT
}

summarise_card() {
  [ -s "$work/clocks.csv" ] || return 0
  awk -F', ' '$1 + 0 > 0 { if (!n || $1 < low) low = $1; if ($1 > high) high = $1; if ($2 > power) power = $2; if ($3 > heat) heat = $3; n++ }
    END { printf "clock while checking\t%d to %d MHz, at most %d W and %d degrees\n", low, high, power, heat }' "$work/clocks.csv"
}

export GOMP_SPINCOUNT=2000
export UNIANIMATE_GOLDEN_DIR=$root/tests/data/golden
rm -f "$work"/*.json
describe_machine >"$work/machine.tsv"
watch_card
step 60 'the device' "${check[@]}" device
for part in "${parts[@]}"; do
  say "$part"
  "run_$part"
done
case " ${parts[*]} " in *' kernels '*) run_sanitizer ;; esac
summarise_card >>"$work/machine.tsv"
"$bin/gpu_check" report --output "$work" >>"$log" 2>&1 || fail "the report could not be written; $log says why."
cp "$work/gpu_check.json" "$work/gpu_check.md" "$output"
printf '\n%s and gpu_check.json have the figures\n' "$output/gpu_check.md"
printf '\n%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
