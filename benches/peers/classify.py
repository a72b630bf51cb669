"""How well does scikit-learn's TF-IDF with a linear SVC tell category, team and priority, on the same split?

classify.py DATA SPLITS     DATA holds the sets, SPLITS the split files; prints a line of JSON a field
"""

import csv
import hashlib
import io
import json
import sys
import time
import zipfile
from pathlib import Path

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import accuracy_score, f1_score
from sklearn.svm import LinearSVC

SETS = (
    ("it_tickets_47k", "all_tickets_processed_improved_v3.csv.zip", ("Document",), ("Topic_group",)),
    ("endava_tickets_5k", "all_tickets.csv", ("title", "body"), ("category", "business_service", "urgency")),
)


def content(path):
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            return archive.read(archive.namelist()[0])
    return path.read_bytes()


def split(path, data):
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    sha256, rows, test = (line.split()[1] for line in lines[:3])
    assert sha256 == hashlib.sha256(data).hexdigest(), f"{path} was made for other bytes"
    bits = bytes.fromhex("".join(lines[3:]))
    is_test = [bool(bits[row // 8] & (128 >> row % 8)) for row in range(int(rows))]
    assert sum(is_test) == int(test), f"{path} is not whole"
    return is_test


def main(folder, splits):
    for name, file, text, fields in SETS:
        data = content(Path(folder) / name / file)
        rows = list(csv.DictReader(io.StringIO(data.decode(), newline="")))
        texts = [" ".join(row[column] for column in text) for row in rows]
        is_test = split(Path(splits) / f"{name}.txt", data)
        train = [row for row in range(len(rows)) if not is_test[row]]
        test = [row for row in range(len(rows)) if is_test[row]]
        for field in fields:
            labels = [row[field] for row in rows]
            start = time.perf_counter()
            reader = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), min_df=2)
            model = LinearSVC().fit(reader.fit_transform([texts[row] for row in train]), [labels[row] for row in train])
            seconds = time.perf_counter() - start
            told = model.predict(reader.transform([texts[row] for row in test]))
            truth = [labels[row] for row in test]
            figures = {
                "who": "peer",
                "set": name,
                "field": field,
                "accuracy": accuracy_score(truth, told),
                "macro_f1": f1_score(truth, told, average="macro", zero_division=0),
                "train_seconds": seconds,
            }
            print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
