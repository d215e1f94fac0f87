#!/usr/bin/env bash
# Everything that this repository measures on a GPU, in one call of less than ten minutes:
#
#     benchmarks/gpu.sh OUT [WHEELS [PEER [DATA]]]
#
# OUT: a folder for gpu.json, stylegan2.json, log and the run. WHEELS: a folder with wheels of what requirements*.txt
# name and this Python lacks (pip download --only-binary=:all:); nothing is fetched. PEER: a checkout of
# NVlabs/stylegan2-ada-pytorch, to be measured against. DATA: a folder with flowers_128.zip: the time that is left goes
# to a whole augmentation run of it at 64 px. The python3 on the path has a PyTorch that sees the GPU; its version is in
# gpu.json. An empty string leaves a folder out.
set -euo pipefail
out=$(mkdir -p "$1" && cd "$1" && pwd) wheels=${2:+$(cd "$2" && pwd)} peer=${3:+$(cd "$3" && pwd)} data=${4:+$(cd "$4" && pwd)}
cd "$(dirname "$0")/.."
begun=$SECONDS
python3 -m venv --without-pip .gpu  # that python3 may live in an environment of its own: what it has comes second
packages=$(echo .gpu/lib/python3*/site-packages)
python3 -c 'import pathlib, torch; print(pathlib.Path(torch.__file__).parent.parent)' > "$packages/present.pth"
[ -z "$wheels" ] || python3 -m pip install --quiet --no-index --no-deps --upgrade --target "$packages" "$wheels"/*.whl
export PYTHONUNBUFFERED=1 GMAUG_HOME="$out/home" PYTHONPATH=.
{
  timeout 90 .gpu/bin/python -m pytest -q -p no:cacheprovider -W ignore -k "cuda or torch_device" \
    tests/scoring/test_ssim.py tests/scoring/test_similarity.py tests/models/test_cuda.py || true
  timeout 240 .gpu/bin/python -m benchmarks.gpu --out "$out/gpu.json" --seconds 150 || true
  [ -z "$peer" ] || timeout 180 .gpu/bin/python -m benchmarks.stylegan2_throughput "$peer" --device cuda --batch 32 \
    --width 512 --layers 8 --size 64 16384 512 --size 128 16384 512 --seconds 15 --out "$out/stylegan2.json" || true
  [ -z "$data" ] || timeout $((begun + 570 - SECONDS)) .gpu/bin/python -m benchmarks.evidence "$GMAUG_HOME" "$data" \
    --only flowers_64px --device cuda || true
} 2>&1 | tee "$out/log"
