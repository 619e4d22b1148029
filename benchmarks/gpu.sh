#!/bin/sh
# Times the paper-size LPGA step, sampling, features and serving on this
# machine, and writes one JSON.
#
#   benchmarks/gpu.sh gpu.json --photographs=photos/ --inception=inception-2015-12-05.tgz
#
# On a host with JAX and no TensorFlow it times what was saved where TensorFlow
# is, and the JSON names what was not run (73 seconds on one NVIDIA H200):
#
#   python benchmarks/gpu.py --save=programs/ --photographs=photos/
#   benchmarks/gpu.sh gpu.json programs/
#
# PYTHON names the interpreter.
set -eu
if [ "$#" -lt 1 ]; then
  sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
here=$(dirname "$0")
python=${PYTHON:-python3}
output=$1
shift
if [ "$#" -gt 0 ] && [ -d "$1" ]; then
  exec "$python" "$here/gpu_jax.py" "$1" --output="$output"
fi
exec "$python" "$here/gpu.py" --output="$output" "$@"
