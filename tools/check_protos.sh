#!/bin/bash
# Fails, naming file and line, if a contract breaks a lint rule, is not formatted, or breaks the last
# release's. `--fix` formats.
set -euo pipefail
source "$(dirname "$0")/sources.sh"

readonly BUF="tools/node_modules/.bin/buf"
if [[ ! -x "$BUF" || tools/package-lock.json -nt "$BUF" ]]; then
  npm --prefix tools ci --ignore-scripts --no-audit --no-fund --loglevel=error </dev/null >/dev/null
  touch "$(readlink -f "$BUF")"
fi

if [[ "${1:-}" == "--fix" ]]; then
  "$BUF" format --write
  exit 0
fi

failed=0
"$BUF" lint || failed=1
if ! "$BUF" format --diff --exit-code; then
  echo "check_protos: run tools/check_protos.sh --fix" >&2
  failed=1
fi
if release="$(git describe --tags --abbrev=0 --match 'v*' 2>/dev/null)"; then
  "$BUF" breaking --against ".git#tag=$release" || failed=1
fi
exit "$failed"
