#!/usr/bin/env bash
# Sets up, builds and runs every test; closes with "N passed, N failed" and exits with 1 unless all passed.
set -euo pipefail

usage() {
  cat <<'EOF'
usage: scripts/test.sh [--lint | --coverage]

  --lint      also run clang-tidy over all sources (three quarters of an hour of one core)
  --coverage  instead of all below, build for gcov, run all tests, and list lines and branches by folder (needs the
              Debian package gcovr)

Builds the release preset and runs all its tests; links what a machine with a card needs without FFmpeg, OpenVINO,
yaml-cpp and CLI11 (the subset preset); builds what reads untrusted files once more with AddressSanitizer and
UndefinedBehaviorSanitizer, runs the tests of that and a few seconds of each fuzz target; and checks the layout of the
sources with clang-format.
EOF
}

lint=no
coverage=no
for argument in "$@"; do
  case "$argument" in
    --lint) lint=yes ;;
    --coverage) coverage=yes ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; printf "test.sh: unknown argument '%s'.\n" "$argument" >&2; exit 2 ;;
  esac
done

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# So that ccache knows what the release preset has just compiled when the subset compiles it in another folder.
export CCACHE_BASEDIR=$PWD
# Folders of tests/ whose subjects read untrusted bytes.
hostile_input=(tests/core tests/fields tests/checkpoint tests/nn tests/media tests/pose tests/family tests/pipeline tests/studio tests/server)
# The OpenMP threads of libtorch otherwise spin for so long that a test beside busy cores takes many times as long.
export GOMP_SPINCOUNT=2000

passed=0
failed=0
say() { printf '\n-- %s\n' "$*"; }

# run_ctest JOBS FOLDER...: runs the tests of build folders, JOBS at a time, and adds up what came of them.
run_ctest() {
  local jobs=$1 folder log failures tests
  shift
  log=$(mktemp)
  for folder in "$@"; do
    ctest --test-dir "$folder" --output-on-failure --parallel "$jobs" 2>&1 | tee "$log" || true
    failures='' tests=''
    read -r failures tests < <(sed -n 's/.* tests passed, \([0-9]*\) tests* failed out of \([0-9]*\)$/\1 \2/p' "$log") || true
    # A run that did not close with its sum has failed.
    passed=$((passed + ${tests:-0} - ${failures:-0}))
    failed=$((failed + ${failures:-1}))
    # What skipped itself because something is absent here, and why.
    awk '/: Skipped$/ { getline reason } /^\[  SKIPPED \] .* ms\)$/ { print "skipped " $4 ": " reason }' \
      "$folder/Testing/Temporary/LastTest.log" || true
  done
  rm -f "$log"
}

# check NAME COMMAND...: counts the command as one more test.
check() {
  local name=$1
  shift
  if "$@"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    printf '%s failed\n' "$name"
  fi
}

check_layout() {
  find src tests benchmarks examples cmake \( -name '*.cpp' -o -name '*.h' \) -print0 |
    xargs -0 clang-format --dry-run --Werror
}

check_lint() {
  local tools=build/deps/clang_tidy/data/bin
  cmake --preset lint --log-level=WARNING &&
    python3 "$tools/run-clang-tidy.py" -quiet -clang-tidy-binary "$tools/clang-tidy" -p build/lint \
      -checks=-bugprone-suspicious-include "$PWD/(build/lint/.*/Unity|src|tests|benchmarks|examples)/"
}

# Lines and branches of each folder of src/unianimate, and of all; branches that only exceptions take do not count.
list_coverage() {
  gcovr build/coverage --root . --filter src/ --exclude-throw-branches --exclude-unreachable-branches --gcov-ignore-parse-errors --csv |
    awk -F, '
      function percent(part, all) { return 100 * part / (all ? all : 1) }
      function row(name) {
        return sprintf("%-28s %6d %6.1f %% %8d %6.1f %%", name, lines[name], percent(lines_run[name], lines[name]),
                       branches[name], percent(branches_run[name], branches[name]))
      }
      function add(name) {
        lines[name] += $2; lines_run[name] += $3; branches[name] += $5; branches_run[name] += $6
      }
      NR > 1 { folder = $1; sub("^src/unianimate/", "", folder); sub("/[^/]*$", "", folder); add(folder); add("all") }
      END {
        printf "%-28s %6s %8s %8s %8s\n", "folder", "lines", "run", "branches", "taken"
        fflush()
        for (name in lines) if (name != "all") print row(name) | "sort"
        close("sort")
        print row("all")
      }'
}

if [ "$coverage" = yes ]; then
  scripts/setup.sh
  say "building for gcov"
  cmake --preset coverage --log-level=WARNING
  cmake --build --preset coverage
  say "testing it"
  find build/coverage -name '*.gcda' -delete
  run_ctest "$(nproc)" build/coverage
  list_coverage
  printf '\n%d passed, %d failed\n' "$passed" "$failed"
  exit "$((failed > 0))"
fi

scripts/setup.sh
scripts/setup.sh --service-tests || echo "skipped: the service is tested without what 'scripts/setup.sh --service-tests' could not get"
command -v nvcc >/dev/null || scripts/setup.sh --cuda-compiler || echo "skipped: the kernels for cards are not compiled, as there is no nvcc"

say "building the release preset"
cmake --preset release --log-level=WARNING
cmake --build --preset release
say "testing it"
run_ctest "$(nproc)" build/release

say "linking what needs no FFmpeg, OpenVINO, yaml-cpp and CLI11"
cmake --preset subset --log-level=WARNING
cmake --build --preset subset --target tests/lean/all benchmarks/all
say "testing it"
run_ctest 1 build/subset/tests/lean

say "building what reads untrusted files, with sanitizers"
cmake --preset sanitize --log-level=WARNING
cmake --build --preset sanitize --target tests/fuzz/all "${hostile_input[@]/%//all}"
say "testing it"
run_ctest "$(nproc)" "${hostile_input[@]/#/build/sanitize/}"
# The fuzz targets compute on one thread each.
run_ctest "$(nproc)" build/sanitize/tests/fuzz

say "checking the layout of the sources"
# Other versions lay out differently.
if clang-format --version | grep -q 'version 14\.'; then
  check "the layout (to mend it: clang-format -i FILES)" check_layout
else
  echo "skipped: clang-format 14 is wanted, this is $(clang-format --version)"
fi

if [ "$lint" = yes ]; then
  say "running clang-tidy"
  scripts/setup.sh --lint
  check clang-tidy check_lint
fi

printf '\n%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
