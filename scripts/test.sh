#!/usr/bin/env bash
# Checks and tests everything; arguments go to pytest. With CI=true a skipped test is a failure.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=$(scripts/venv.sh dev/requirements.lock)
[ -x "$venv/bin/cctv" ] \
  || "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --editable . >&2
# what tests need of the system, and the command that tells whether it is there
declare -A needed=([chromium]=chromium [nginx]=nginx-light [node]=nodejs)
missing=()
for program in "${!needed[@]}"; do
  PATH=$PATH:/usr/sbin command -v "$program" > /dev/null || missing+=("${needed[$program]}")
done
if [ "${#missing[@]}" -gt 0 ] && [ "$(id -u)" -eq 0 ] && command -v apt-get > /dev/null; then
  echo "Installing ${missing[*]} …" >&2
  { apt-get -qq update && apt-get -qq install -y --no-install-recommends "${missing[@]}"; } > /dev/null || true
fi
for program in "${!needed[@]}"; do
  PATH=$PATH:/usr/sbin command -v "$program" > /dev/null \
    || echo "There is no $program here: the tests that need ${needed[$program]} are skipped." >&2
done

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
