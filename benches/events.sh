#!/usr/bin/env bash
# A burst of events against a server over a copy of a desk: events.sh DESK [PER_SECOND] [SECONDS]
# DESK is a folder of desks as --data takes it. Prints how long each 202 took, how many were refused, and how long the queue took to drain.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
desk=$1 rate=${2:-200} seconds=${3:-60}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/triagraph
binary=${CARGO_TARGET_DIR:-$cache/target}/debug/triagraph
work=$(mktemp -d)
trap 'kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; rm -rf "$work"' EXIT
cp -r "$desk" "$work/data"
"$binary" --data "$work/data" serve --listen 127.0.0.1:0 > "$work/said" 2> "$work/log" &
server=$!
until grep -q '^listening on' "$work/said"; do kill -0 "$server"; sleep 0.1; done
python3 "$here/events.py" "$(sed -n 's/^listening on http:\/\///p' "$work/said")" "$rate" "$seconds"
