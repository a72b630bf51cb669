#!/usr/bin/env bash
# Is our BM25 as fast as bm25s and tantivy-py, ten hits, one thread, the same texts and questions? Ours and theirs in turn, then ratios.
# `bash benches/peers/text.sh SOURCE…`: each a BEIR folder, or a CSV of texts (zipped or not) that is asked for pieces of itself.
# ROUNDS=3 unless told. Theirs split and stem the question too, as ours does; bm25s has its usual numpy backend.
set -euo pipefail
[ $# -gt 0 ] || { sed -n 3p "$0"; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/triagraph
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$cache/target}
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
venv=${VENV:-$cache/peers/text}
if [ ! -x "$venv/bin/python" ]; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet numpy==2.4.6 bm25s==0.3.16 PyStemmer==3.1.0 tantivy==0.27.0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$venv/bin/python" "$here/text.py" prepare "$work/sets" "$@"
cd "$here/../.."
cargo build --locked --workspace --examples
for round in $(seq "${ROUNDS:-3}"); do
    for set in "$work"/sets/*/; do
        "$CARGO_TARGET_DIR/debug/examples/text_speed" "$set" | tee -a "$work/$round.tsv"
    done
    "$venv/bin/python" "$here/text.py" run "$work/sets" | tee -a "$work/$round.tsv"
done
"$venv/bin/python" "$here/text.py" compare "$work"/*.tsv
