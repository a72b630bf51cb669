#!/usr/bin/env bash
# Embedding, ours against ONNX Runtime, same model, same passages, two threads, in rounds: embed.sh CORPUS.jsonl...
# The corpora are in BEIR's layout; TRIAGRAPH_MODELS may name the folder of models, ROUNDS how many rounds to run.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/triagraph
models=${TRIAGRAPH_MODELS:-$cache/models}
work=$cache/peers/embed
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 safetensors==0.8.0 sympy==1.14.0 tokenizers==0.23.3
peer() { "$work/venv/bin/python" "$here/embed.py" "$@"; }
peer passages "$@" "$work/passages.txt"
peer export "$models/all-MiniLM-L6-v2" "$work" 2>/dev/null
: > "$work/rounds.jsonl"
for _ in $(seq "${ROUNDS:-3}"); do
    peer run "$models/all-MiniLM-L6-v2" "$work" "$work/passages.txt" >> "$work/rounds.jsonl"
    (cd "$here" && TRIAGRAPH_PASSAGES=$work/passages.txt \
        cargo bench --quiet --profile dev --locked --workspace --bench embed) >> "$work/rounds.jsonl"
done
peer ratios "$work/rounds.jsonl"
