"""What do hnswlib and faiss need for what benches/vectors.rs measures? Run by vectors.sh.

`vectors.py export DATABASE FILE` writes the vectors of a desk (its `vectors.db`) as a file for vectors.sh.
"""

import sys
import time
from collections import defaultdict
from pathlib import Path
from statistics import median

DIMENSIONS, QUERIES, LIMIT, RECALL = 384, 1_000, 10, 0.99


def timed(work):
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def run(file):
    import faiss
    import hnswlib
    import numpy

    vectors = numpy.fromfile(file, dtype=numpy.float32).reshape(-1, DIMENSIONS)
    rows, queries = vectors[:-QUERIES], vectors[-QUERIES:]
    flat = faiss.IndexFlatIP(DIMENSIONS)
    flat.add(rows)
    _, exact = flat.search(queries, LIMIT)
    faiss.omp_set_num_threads(1)
    seconds, _ = timed(lambda: [flat.search(query[None], LIMIT) for query in queries[:100]])
    print(f"scan\t{len(rows)}\t{seconds * 10:.3f} ms")

    index = hnswlib.Index(space="ip", dim=DIMENSIONS)
    index.init_index(max_elements=len(rows), M=16, ef_construction=200)
    index.set_num_threads(2)
    seconds, _ = timed(lambda: index.add_items(rows))
    print(f"build\thnswlib\t{seconds:.2f}", flush=True)
    index.set_num_threads(1)
    for ef in [16, 20, 24, 28, 32, 40, 48, 64, 80, 96, 112, 128, 160]:
        index.set_ef(ef)
        runs = [timed(lambda: index.knn_query(queries, k=LIMIT)) for _ in range(2)]
        seconds, found = min(one[0] for one in runs), runs[-1][1][0]
        right = sum(len(set(a) & set(b)) for a, b in zip(found.tolist(), exact.tolist()))
        print(f"walk hnswlib\t{ef}\t{QUERIES / seconds:.0f}\t{right / LIMIT / QUERIES:.4f}", flush=True)


def figures(folder, side):
    """Each figure of all rounds; of walks the fastest that finds enough."""
    found = defaultdict(list)
    for file in sorted(Path(folder).glob(f"{side}.*")):
        walks = defaultdict(list)
        for line in file.read_text().splitlines():
            name, parameter, *values = line.split("\t")
            if name.startswith("walk") and float(values[1]) >= RECALL:
                walks[name].append(float(values[0]))
            elif name in ("build", "scan"):
                found[f"{name} {parameter}" if name == "build" else name].append(float(values[0].split()[0]))
        for name, rates in walks.items():
            found[name].append(max(rates))
    return {name: median(values) for name, values in found.items()}


def export(database, file):
    """All vectors in the order of their texts, and a thousand of them, drawn from a seed, at the end."""
    import random
    import sqlite3

    with sqlite3.connect(f"file:{database}?mode=ro&immutable=1", uri=True) as connection:
        vectors = [row[0] for row in connection.execute("SELECT vector FROM text ORDER BY id")]
    asking = set(random.Random(1).sample(range(len(vectors)), QUERIES))
    with open(file, "wb") as out:
        out.writelines(vector for at, vector in enumerate(vectors) if at not in asking)
        out.writelines(vectors[at] for at in sorted(asking))


def compare(folder):
    ours, theirs = figures(folder, "ours"), figures(folder, "theirs")
    rate, build = theirs["walk hnswlib"], theirs["build hnswlib"]
    print(f"walk, queries/s at recall@10 >= {RECALL}, one thread: hnswlib {rate:.0f}")
    for name in ("walk f32", "walk coded"):
        print(f"  ours, {name.split()[1]}: {ours[name]:.0f}, {ours[name] / rate:.2f} times")
    print(f"build, two threads: hnswlib {build:.1f} s")
    for name in ("build f32", "build coded"):
        print(f"  ours, {name.split()[1]}, to a sealed segment: {ours[name]:.1f} s, {ours[name] / build:.2f} of it")
    print(f"exact scan, one thread: faiss flat {theirs['scan']:.2f} ms")
    print(f"  ours: {ours['scan']:.2f} ms, {ours['scan'] / theirs['scan']:.2f} of it")


if __name__ == "__main__":
    {"run": run, "compare": compare, "export": export}[sys.argv[1]](*sys.argv[2:])
