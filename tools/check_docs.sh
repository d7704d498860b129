#!/bin/bash
# Fails, naming file and line, if the documentation and the code say different things: links and paths that lead nowhere,
# reasons of errors that docs/errors.md leaves out or invents, a service's README without one of its headings.
set -euo pipefail
source "$(dirname "$0")/sources.sh"

sources 'common/**.h' 'common/**.cc' 'services/**.h' 'services/**.cc' | tools/check_docs.py
