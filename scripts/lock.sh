#!/usr/bin/env bash
# Renews the lock files with the newest versions that pyproject.toml allows, for Python 3.11 and up.
set -euo pipefail
cd "$(dirname "$0")/.."

tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
python3 -m venv "$tools"
"$tools/bin/pip" install --quiet --disable-pip-version-check uv

compile() {
  "$tools/bin/uv" pip compile --quiet --no-config --upgrade --universal --python-version 3.11 \
    --generate-hashes --no-emit-index-url --no-header pyproject.toml "$@"
}
compile --output-file deploy/requirements.lock
compile --output-file dev/street.lock --extra dev --constraints deploy/requirements.lock
compile --output-file dev/requirements.lock --extra test --constraints dev/street.lock
