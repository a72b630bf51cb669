#!/usr/bin/env bash
# How soon does `serve` answer, and how much memory has it then? `bash benches/serve.sh DATA QUESTIONS`: a data folder, and a file
# of `{"text": …}` lines that are asked one after the other, explained, ten hits.
set -euo pipefail
[ $# -eq 2 ] || { sed -n 2,3p "$0"; exit 2; }
triagraph=${TRIAGRAPH:-${CARGO_TARGET_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/triagraph/target}/debug/triagraph}
work=$(mktemp -d)
now() { date +%s%N; }
started=$(now)
"$triagraph" --data "$1" serve --listen 127.0.0.1:0 >"$work/out" 2>"$work/log" &
server=$!
trap 'kill $server 2>/dev/null; wait $server 2>/dev/null; rm -rf "$work"' EXIT
until address=$(grep -om1 'http://[0-9.:]*' "$work/out") && curl -fs "$address/health/ready" >"$work/ready"; do
    kill -0 $server 2>/dev/null || { cat "$work/log"; exit 1; }
    sleep 0.02
done
echo "ready after $((($(now) - started) / 1000000)) ms"
memory() { awk '/^(RssAnon|RssFile)/ { printf "%s %d MB  ", $1, $2 / 1024 }' "/proc/$server/status"; echo "$1"; }
memory "at the start"
while read -r question; do
    curl -fs "$address/v1/search" -H 'content-type: application/json' -d "$question" -o /dev/null -w '%{time_total}\n'
done <"$2" >"$work/times"
memory "after $(wc -l <"$work/times") questions"
sort -n "$work/times" | awk '{ times[NR] = $1 * 1000 } END {
    printf "one client over HTTP: p50 %.1f ms  p99 %.1f ms\n", times[int((NR + 1) / 2)], times[int(NR * .99 + .5)] }'
