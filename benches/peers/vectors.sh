#!/usr/bin/env bash
# Is our vector index as fast as hnswlib, and our scan as faiss? Runs ours and theirs in turn on the same vectors and prints ratios.
# `bash benches/peers/vectors.sh [ROUNDS] [FILE]`: FILE holds unit vectors of 384 little-endian f32, the last 1,000 of which
# ask; without it they are made from a seed. A round takes about two minutes on two cores.
set -euo pipefail
rounds=${1:-3}
here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/triagraph
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$cache/target}
venv=$cache/peers/vectors
if [ ! -x "$venv/bin/python" ]; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet numpy==2.4.6 hnswlib==0.8.0 faiss-cpu==1.15.1
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ -n "${2:-}" ]; then
    export TRIAGRAPH_VECTORS=$2
else
    export TRIAGRAPH_VECTORS_OUT=$work/vectors
fi
cd "$here/../.."
cargo bench --profile dev --locked --workspace --bench vectors --no-run
for round in $(seq "$rounds"); do
    cargo bench --quiet --profile dev --locked --workspace --bench vectors | tee "$work/ours.$round"
    "$venv/bin/python" "$here/vectors.py" run "${2:-$work/vectors}" | tee "$work/theirs.$round"
done
"$venv/bin/python" "$here/vectors.py" compare "$work"
