#!/usr/bin/env bash
# Everything that this repository measures on a GPU, in one call of less than ten minutes:
#
#     benchmarks/gpu.sh OUT [WHEELS]
#
# OUT: a folder for gpu.json, log and the result of the run. WHEELS: a folder with wheels of what requirements*.txt name
# and this Python lacks (pip download --only-binary=:all:); nothing is fetched. The python3 on the path has a PyTorch that
# sees the GPU; its version is in gpu.json.
set -euo pipefail
cd "$(dirname "$0")/.."
out=$1 wheels=${2:-}
mkdir -p "$out"
python3 -m venv --system-site-packages .gpu
[ -z "$wheels" ] || .gpu/bin/python -m pip install --quiet --no-index --no-deps "$wheels"/*.whl
export PYTHONUNBUFFERED=1 GMAUG_HOME="$out/home"
{
  .gpu/bin/python -m pytest -q -p no:cacheprovider -k "cuda or torch_device" tests/scoring/test_ssim.py tests/models || true
  .gpu/bin/python -m benchmarks.gpu --out "$out/gpu.json" --seconds 420
} 2>&1 | tee "$out/log"
