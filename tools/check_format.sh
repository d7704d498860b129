#!/bin/bash
# Fails, naming file and line, if C++ is not formatted as .clang-format says. `--fix` rewrites instead.
set -euo pipefail
source "$(dirname "$0")/sources.sh"

mode=(--dry-run -Werror)
[[ "${1:-}" == "--fix" ]] && mode=(-i)
mapfile -t files < <(sources '*.h' '*.cc')
[[ ${#files[@]} -eq 0 ]] && exit 0
if ! printf '%s\0' "${files[@]}" | xargs -0 clang-format-14 "${mode[@]}"; then
  echo "check_format: run tools/check_format.sh --fix" >&2
  exit 1
fi
