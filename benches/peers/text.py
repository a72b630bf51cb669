"""Makes the sets, asks the peers, compares: the three steps of text.sh."""

import csv
import io
import json
import statistics
import sys
import time
import zipfile
from pathlib import Path

QUERIES = 300
TOP = 10
WORDS = 12


def prepare(work, sources):
    """Writes corpus.jsonl and queries.jsonl of each source: a BEIR folder, or a table of tickets that asks for parts of itself."""
    for source in map(Path, sources):
        folder = Path(work) / source.stem
        folder.mkdir(parents=True)
        if source.is_dir():
            lines = [json.loads(line) for line in open(source / "corpus.jsonl", encoding="utf-8")]
            corpus = [{"title": line.get("title", ""), "text": line["text"]} for line in lines]
            queries = [json.loads(line)["text"] for line in open(source / "queries.jsonl", encoding="utf-8")]
        else:
            corpus = [{"title": "", "text": text} for text in column(source)]
            queries = [" ".join(one["text"].split()[:WORDS]) for one in corpus[:: len(corpus) // QUERIES]]
        queries = [{"text": text} for text in queries[:QUERIES]]
        for name, rows in (("corpus", corpus), ("queries", queries)):
            with open(folder / f"{name}.jsonl", "w", encoding="utf-8") as file:
                file.writelines(json.dumps(row) + "\n" for row in rows)


def column(source):
    """The first column of a CSV file, zipped or not."""
    data = source.read_bytes()
    if source.suffix == ".zip":
        archive = zipfile.ZipFile(io.BytesIO(data))
        data = archive.read(archive.namelist()[0])
    rows = csv.reader(io.StringIO(data.decode("utf-8")))
    next(rows)
    return [row[0] for row in rows]


def read(folder):
    load = lambda name: [json.loads(line) for line in open(folder / name, encoding="utf-8")]
    texts = [f"{one['title']} {one['text']}".strip() for one in load("corpus.jsonl")]
    return texts, [one["text"] for one in load("queries.jsonl")]


def ask(queries, search):
    """Milliseconds of each query, the fastest of three."""
    times = []
    for query in queries:
        fastest = float("inf")
        for _ in range(3):
            start = time.perf_counter()
            search(query)
            fastest = min(fastest, time.perf_counter() - start)
        times.append(fastest * 1e3)
    return times


def with_bm25s(texts, queries):
    import bm25s
    import Stemmer

    stemmer = Stemmer.Stemmer("english")
    split = lambda text: bm25s.tokenize(text, stopwords="en", stemmer=stemmer, show_progress=False)
    index = bm25s.BM25(method="lucene")
    index.index(split(texts), show_progress=False)
    return ask(queries, lambda query: index.retrieve(split([query]), k=TOP, show_progress=False, n_threads=1))


def with_tantivy(texts, queries):
    import tantivy

    schema = tantivy.SchemaBuilder().add_text_field("body", tokenizer_name="en_stem").build()
    index = tantivy.Index(schema)
    writer = index.writer(num_threads=1)
    for text in texts:
        writer.add_document(tantivy.Document(body=text))
    writer.commit()
    writer.wait_merging_threads()
    index.reload()
    searcher = index.searcher()

    def search(query):
        parsed, _ = index.parse_query_lenient(query, ["body"])
        return searcher.search(parsed, TOP).hits

    return ask(queries, search)


def run(work):
    for folder in sorted(path for path in Path(work).iterdir() if path.is_dir()):
        texts, queries = read(folder)
        for name, peer in (("bm25s", with_bm25s), ("tantivy", with_tantivy)):
            times = peer(texts, queries)
            print(f"{folder.name}\t{name}\t{len(texts)}\t{statistics.median(times):.3f}", flush=True)


def compare(files):
    """The ratio of each round's medians, and the median over the rounds."""
    rows = [line.split("\t") for name in files for line in open(name, encoding="utf-8").read().splitlines()]
    sets = sorted({row[0] for row in rows})
    of = lambda set_, engine: [float(row[3]) for row in rows if row[0] == set_ and row[1] == engine]
    print("| set | documents | ours p50 | bm25s | tantivy-py | bm25s ÷ ours | tantivy-py ÷ ours |\n" + "| --- " * 7 + "|")
    for set_ in sets:
        ours = of(set_, "ours")
        documents = next(row[2] for row in rows if row[0] == set_)
        peers = [of(set_, name) for name in ("bm25s", "tantivy")]
        ratios = [statistics.median(theirs / own for theirs, own in zip(peer, ours)) for peer in peers]
        medians = [statistics.median(times) for times in (ours, *peers)]
        cells = [f"{time:.3f} ms" for time in medians] + [f"{ratio:.2f}" for ratio in ratios]
        print(f"| {set_} | {documents} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    step, rest = sys.argv[1], sys.argv[2:]
    {"prepare": lambda: prepare(rest[0], rest[1:]), "run": lambda: run(rest[0]), "compare": lambda: compare(rest)}[step]()
