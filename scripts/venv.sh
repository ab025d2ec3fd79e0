#!/usr/bin/env bash
# Prints a virtual environment that has what a lock file names: `venv.sh LOCK`. It is .venv, made
# and filled when needed; or the folder in VENV, taken as it is.
set -euo pipefail
cd "$(dirname "$0")/.."
unset PYTHONHOME PYTHONPATH

die() { echo "$*" >&2; exit 1; }
is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null; }

if [ -n "${VENV:-}" ]; then
  is_new_enough "$VENV/bin/python" || die "VENV=$VENV is no environment of Python 3.11 or newer."
  cd "$VENV" && exec pwd
fi

lock=$1
venv=$PWD/.venv
mark=$venv/.${lock//\//-}
if ! is_new_enough "$venv/bin/python" || ! "$venv/bin/python" -m pip --version > /dev/null 2>&1; then
  for python in python3 python3.14 python3.13 python3.12 python3.11 ""; do
    if is_new_enough "$python"; then break; fi
  done
  [ -n "$python" ] || die "Python 3.11 or newer is needed, and neither python3 nor python3.11 to python3.14 is it."
  "$python" -c 'import ensurepip, venv' 2> /dev/null \
    || die "$python comes without its venv module; on Debian and Ubuntu: apt install $python-venv"
  "$python" -m venv --clear "$venv"
fi
if ! cmp -s "$lock" "$mark"; then
  echo "Installing $lock into .venv …" >&2
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    --no-deps --only-binary=:all: --require-hashes -r "$lock" >&2
  cp "$lock" "$mark"
fi
echo "$venv"
