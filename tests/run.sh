#!/bin/bash
# Runs every test: installs what is missing, then the C++ tests, the examples' tests, the tests that drive real processes,
# and those that kill them, and those of load (threads and memory). The last line is the sum: `N passed, N failed`.
#
# usage: tests/run.sh [cpp|examples|e2e|faults|load]...      all of them by default
#
# ASSAY_BAZEL         Bazel command, with startup options if need be (bazel).
# ASSAY_BAZEL_CACHE   directory of compiled objects that later runs reuse (~/.cache/assay-bazel).
set -u
cd "$(dirname "$(readlink -f "$0")")/.." || exit 1

export HOME="${HOME:-/root}"
export ASSAY_BAZEL="${ASSAY_BAZEL:-bazel}"
read -r -a BAZEL <<<"$ASSAY_BAZEL"
readonly FLAGS=(
  "--disk_cache=${ASSAY_BAZEL_CACHE:-$HOME/.cache/assay-bazel}"
  --noshow_progress --color=no --curses=no --experimental_convenience_symlinks=ignore
)
export PYTHONDONTWRITEBYTECODE=1

scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
passed=0
failed=0
summary=()

# add NAME STATUS PASSED FAILED: a suite that broke down without a failed test counts as one failure.
add() {
  local bad=$4
  [[ $2 -eq 0 || $bad -gt 0 ]] || bad=1
  passed=$((passed + $3))
  failed=$((failed + bad))
  summary+=("$(printf '%-10s %4d passed, %d failed, %d s' "$1" "$3" "$bad" $((SECONDS - begin)))")
}

cpp() {
  local status=0 begin=$SECONDS counts
  "${BAZEL[@]}" test "${FLAGS[@]}" --keep_going --test_summary=terse "--build_event_json_file=$scratch/events" \
    //... || status=$?
  read -r -a counts < <(tests/summarize.py bazel "$scratch/events")
  add cpp "$status" "${counts[@]}"
}

# suite NAME PATH: runs pytest.
suite() {
  local status=0 begin=$SECONDS counts
  /usr/bin/python3 -m pytest -q -p no:cacheprovider --durations=5 "--junitxml=$scratch/$1.xml" "$2" || status=$?
  read -r -a counts < <(tests/summarize.py junit "$scratch/$1.xml")
  add "$1" "$status" "${counts[@]}"
}

# The programs that e2e, faults and load drive.
build_programs() {
  "${BAZEL[@]}" build "${FLAGS[@]}" //services/... //tests/fake_llm //tests/load:all || return 1
  ASSAY_BIN_DIR="$("${BAZEL[@]}" info bazel-bin 2>/dev/null)"
  export ASSAY_BIN_DIR
}

main() {
  [[ $# -gt 0 ]] || set -- cpp examples e2e faults load
  if ! deploy/local/install-packages; then
    echo "0 passed, 1 failed"
    return 1
  fi
  local name begin
  for name in "$@"; do
    printf '\n--- %s\n' "$name"
    begin=$SECONDS
    case "$name" in
      cpp) cpp ;;
      examples) suite examples examples ;;
      e2e | faults | load)
        if build_programs; then
          suite "$name" "tests/$name"
        else
          add "$name" 1 0 0
        fi
        ;;
      *)
        echo "tests/run.sh: no suite '$name'; there are cpp, examples, e2e, faults, load" >&2
        add "$name" 1 0 0
        ;;
    esac
  done

  printf '\n'
  printf '%s\n' "${summary[@]}"
  echo "$passed passed, $failed failed"
  [[ $failed -eq 0 ]]
}

# At the end, so that the whole file is read before anything runs.
main "$@"
