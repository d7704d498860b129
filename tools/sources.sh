# shellcheck shell=bash
# Sourced by the checks: the repository's own files, tracked or about to be.

cd "$(git -C "$(dirname "${BASH_SOURCE[0]}")" rev-parse --show-toplevel)" || exit 1

# sources PATHSPEC...: prints the files that exist, one a line.
sources() {
  git ls-files --cached --others --exclude-standard --deduplicate -- "$@" | while IFS= read -r file; do
    [[ -f "$file" ]] && printf '%s\n' "$file"
  done
}
