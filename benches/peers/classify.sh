#!/usr/bin/env bash
# Telling category, team and priority, ours against scikit-learn's TF-IDF with a linear SVC, on the same split: classify.sh DATA
# DATA holds the folders it_tickets_47k and endava_tickets_5k (datasets/manifest.toml says where they are to be had).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/triagraph
export TRIAGRAPH_MODELS=${TRIAGRAPH_MODELS:-$cache/models}
work=$cache/peers/classify
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet numpy==2.4.6 scikit-learn==1.9.1 scipy==1.17.1
"$work/venv/bin/python" "$here/classify.py" "$1" "$here/../../datasets/splits"
data=$(realpath "$1") splits=$(realpath "$here/../../datasets/splits")
cd "$here"
ours() { cargo bench --quiet --profile dev --locked --workspace --bench classify -- "$1" "$data" "$splits" "$work"; }
ours scores
time ours train
