#!/bin/sh
# Installs pgak into a virtual environment; the steps of the Dockerfile.
#
#   docs/docker/install.sh SOURCE FOLDER [EXTRAS]
#
# SOURCE is a checkout, FOLDER the new environment, EXTRAS such as gpu,serving.
# PYTHON names the interpreter, python3 by default; PIP_ARGS is given to pip.
set -eu

source=$1
folder=$2
extras=${3:-}

"${PYTHON:-python3}" -m venv "$folder"
# A wheel, not an editable install: the image does without the checkout. It is
# built elsewhere, since the checkout may be read-only.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r "$source" "$work/source"
# shellcheck disable=SC2086
"$folder/bin/python" -m pip install --no-cache-dir --quiet ${PIP_ARGS:-} \
  "$work/source${extras:+[$extras]}"
# Compiled once here: an ordinary user cannot write there later.
"$folder/bin/python" -m compileall -q "$folder"/lib/python3*/site-packages/pgak
"$folder/bin/pgak_list" >"$work/list"
test -s "$work/list"
