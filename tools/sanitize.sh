#!/bin/bash
# Runs the unit tests under a sanitizer: sanitize.sh asan|tsan [BAZEL FLAG]... Ends with `N passed, N failed`.
#
# Takes the tests that have neither network nor other processes around them. The thread sanitizer takes those
# where threads meet: tests that name executors, locks, servers or the committer themselves. It leaves out what
# links gRPC: it reports races inside the uninstrumented library, through its inlined headers.
# ASSAY_BAZEL may hold a Bazel command with startup options. ASSAY_SANITIZE_SECONDS bounds the time: no portion of
# the tests is begun after it.
set -uo pipefail
source "$(dirname "$0")/sources.sh"
read -r -a bazel <<<"${ASSAY_BAZEL:-bazel}"
readonly SANITIZER="${1:?asan or tsan}"
shift

universe=()
for directory in common services/*/core services/*/store; do
  if [[ -d "$directory" && -n "$(sources "$directory/BUILD" "$directory/**/BUILD")" ]]; then
    universe+=("//$directory/...")
  fi
done
query="tests(set(${universe[*]}))"
if [[ "$SANITIZER" == tsan ]]; then
  threads="set(//common/exec/... //common/sync/... //common/http/... //common/http_server/... //common/rocks:committer)"
  query="($query intersect rdeps($query, $threads, 1)) except rdeps($query, '@system//:grpc++')
    except attr(tags, notsan, $query)"
fi
output="$(mktemp)"
targets="$(mktemp)"
trap 'rm -f "$output" "$targets"' EXIT
"${bazel[@]}" query --noshow_progress "$query" >"$targets" || exit 1

# Without a budget everything at once. With one, packages that changed last come first, then the others from
# another place at each commit, in portions until the time is up; what is left out is said.
readonly BUDGET="${ASSAY_SANITIZE_SECONDS:-0}"
readonly PORTION=12
if [[ "$BUDGET" -gt 0 ]]; then
  commits="$(git rev-list --count HEAD 2>/dev/null || echo 0)"
  { echo .; git log -n 40 --name-only --format= 2>/dev/null | sed -n 's#/[^/]*$##p' | sort -u; } >"$output"
  sort -u "$targets" | awk -v shift="$commits" '
    NR == FNR {changed[$0] = 1; next}
    {label = $0; sub(/^\/\//, "", label); sub(/:.*/, "", label); if (label in changed) print; else rest[n++] = $0}
    END {for (i = 0; i < n; i++) print rest[(i + shift * 7) % n]}' "$output" - >"$targets.ordered"
  mv "$targets.ordered" "$targets"
else
  sort -u "$targets" -o "$targets"
fi

: >"$output"
status=0
taken=0
total="$(wc -l <"$targets")"
while [[ $taken -lt $total ]]; do
  size=$((BUDGET > 0 ? PORTION : total))
  tail -n "+$((taken + 1))" "$targets" | head -n "$size" >"$targets.portion"
  "${bazel[@]}" test "$@" "--config=$SANITIZER" --keep_going --test_summary=short \
    --target_pattern_file="$targets.portion" 2>&1 | tee -a "$output"
  [[ ${PIPESTATUS[0]} -eq 0 ]] || status=1
  taken=$((taken + size < total ? taken + size : total))
  [[ $BUDGET -eq 0 || $SECONDS -lt $BUDGET ]] || break
done
rm -f "$targets.portion"
[[ $taken -eq $total ]] || echo "the time is up: $((total - taken)) of $total tests are left to a later commit"
awk '/^\/\/[^ ]+ .*(PASSED|FLAKY)/ {passed++}
     /^\/\/[^ ]+ .*(FAILED|TIMEOUT|NO STATUS)/ {failed++}
     END {printf "%d passed, %d failed\n", passed, failed}' "$output"
exit "$status"
