#!/usr/bin/env bash
# Ingest, hybrid queries, quality and memory beside txtai's hybrid index with the same embedder. Ours and theirs in turn, then ratios.
# `bash benches/peers/txtai.sh BEIR_FOLDER MODEL_FOLDER`: the second is what `triagraph models pull all-MiniLM-L6-v2` has put
# in place. ROUNDS=1 unless told: a round takes some minutes on two cores. txtai cuts texts at 256 tokens, ours splits longer ones.
set -euo pipefail
[ $# -eq 2 ] || { sed -n 3,4p "$0"; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/triagraph
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$cache/target}
export HF_HUB_OFFLINE=1 TOKENIZERS_PARALLELISM=true
venv=${VENV:-$cache/peers/txtai}
if [ ! -x "$venv/bin/python" ]; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet txtai==9.14.0
fi
folder=$(cd "$1" && pwd)
model=$(cd "$2" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$here/../.." && cargo build --locked --workspace)
for round in $(seq "${ROUNDS:-1}"); do
    "$venv/bin/python" "$here/hybrid.py" ours "$folder" "$model" "$CARGO_TARGET_DIR/debug/triagraph" | tee -a "$work/$round.tsv"
    "$venv/bin/python" "$here/hybrid.py" txtai "$folder" "$model" | tee -a "$work/$round.tsv"
done
"$venv/bin/python" "$here/hybrid.py" compare "$work"/*.tsv
