#!/usr/bin/env bash
# Checks and tests everything; arguments go to pytest. With CI=true a skipped test is a failure.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=$(scripts/venv.sh dev/requirements.lock)
[ -x "$venv/bin/cctv" ] \
  || "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --editable . >&2
if ! command -v chromium > /dev/null && [ "$(id -u)" -eq 0 ] && command -v apt-get > /dev/null; then
  { apt-get -qq update && apt-get -qq install -y --no-install-recommends chromium; } > /dev/null || true
fi
command -v chromium > /dev/null \
  || echo "There is no chromium here: the tests of the page in a browser are skipped." >&2

status=0
scripts/check || status=1
report=$(mktemp)
trap 'rm -f "$report"' EXIT
"$venv/bin/python" -m pytest -rs --junitxml="$report" "$@" || status=$?
if [ "${CI:-}" = true ] && ! grep -q ' skipped="0"' "$report"; then
  echo "Tests were skipped, and CI=true." >&2
  status=1
fi
exit "$status"
