"""Measures one engine on one BEIR folder: `hybrid.py txtai FOLDER MODEL`, `hybrid.py ours FOLDER MODEL BINARY`, `hybrid.py compare FILE…`."""

import json
import math
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

TOP = 10
TOKENS = 256


def read(folder):
    load = lambda name: [json.loads(line) for line in open(os.path.join(folder, name), encoding="utf-8")]
    corpus = [(one["_id"], f"{one.get('title', '')} {one['text']}".strip()) for one in load("corpus.jsonl")]
    grades = {}
    for line in open(os.path.join(folder, "qrels", "test.tsv"), encoding="utf-8").read().splitlines()[1:]:
        query, document, grade = line.split("\t")
        grades.setdefault(query, {})[document] = float(grade)
    queries = [(one["_id"], one["text"]) for one in load("queries.jsonl") if one["_id"] in grades]
    return corpus, queries, grades


def ndcg(found, right):
    gain = lambda grades: sum(grade / math.log2(place + 2) for place, grade in enumerate(grades))
    return gain([right.get(one, 0.0) for one in found]) / gain(sorted(right.values(), reverse=True)[:TOP])


def with_txtai(folder, model):
    from txtai import Embeddings

    corpus, queries, grades = read(folder)
    index = Embeddings(path=model, hybrid=True, content=False, maxlength=TOKENS)
    start = time.perf_counter()
    index.index((id_, text, None) for id_, text in corpus)
    ingest = time.perf_counter() - start
    index.search(queries[0][1], TOP)
    times, score = [], 0.0
    for id_, text in queries:
        start = time.perf_counter()
        found = index.search(text, TOP)
        times.append(time.perf_counter() - start)
        score += ndcg([document for document, _ in found], grades[id_])
    times.sort()
    at = lambda share: times[round((len(times) - 1) * share)] * 1e3
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return len(corpus) / ingest, at(0.5), at(0.99), score / len(queries), memory


def with_ours(folder, model, binary):
    with tempfile.TemporaryDirectory() as data:
        command = [binary, "--data", data, "--json", "eval", "--leg", "hybrid", folder]
        environment = {**os.environ, "TRIAGRAPH_MODELS": os.path.dirname(os.path.abspath(model))}
        printed = subprocess.run(command, env=environment, check=True, capture_output=True).stdout
    report = json.loads(printed)[0]
    seconds, memory = report["seconds"], resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    rate = report["documents"] / seconds["ingest"]
    score = report["legs"]["hybrid"]["ndcg_at_10"]
    return rate, seconds["query_p50"] * 1e3, seconds["query_p99"] * 1e3, score, memory


def compare(files):
    rows = [line.split("\t") for name in files for line in open(name, encoding="utf-8").read().splitlines()]
    of = lambda engine: [[float(value) for value in row[1:]] for row in rows if row[0] == engine]
    names = ("documents/s", "query p50, ms", "query p99, ms", "nDCG@10", "memory, MB")
    print("| what | ours | txtai | ours ÷ txtai |\n" + "| --- " * 4 + "|")
    for name, ours, theirs in zip(names, zip(*of("ours")), zip(*of("txtai"))):
        ratio = statistics.median(own / their for own, their in zip(ours, theirs))
        print(f"| {name} | {statistics.median(ours):.3f} | {statistics.median(theirs):.3f} | {ratio:.3f} |")


if __name__ == "__main__":
    if sys.argv[1] == "compare":
        compare(sys.argv[2:])
    else:
        run = {"txtai": with_txtai, "ours": with_ours}[sys.argv[1]]
        print("\t".join([sys.argv[1], *(f"{value:.4f}" for value in run(*sys.argv[2:]))]))
