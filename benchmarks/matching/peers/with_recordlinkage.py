"""recordlinkage over the two lists: blocked, compared, told apart by its ECM classifier.

``python with_recordlinkage.py FOLDER`` prints what it found as JSON. Runs in its own environment.
"""

import json
import resource
import sys
import time
from pathlib import Path

import pandas  # type: ignore[import-not-found,import-untyped,unused-ignore]  # of that environment
import recordlinkage  # type: ignore[import-not-found]  # of that environment


def main() -> None:
    folder = Path(sys.argv[1])
    begun = time.perf_counter()
    left, right = (
        pandas.read_csv(folder / f"{name}.csv", dtype=str, index_col="id")
        for name in ("sales", "service")
    )
    index = recordlinkage.Index()
    for columns in (
        ["email"], ["mobile"], ["last", "company"], ["last", "first", "city"],
        ["last", "first", "postcode"],
    ):  # fmt: skip
        index.block(columns)
    pairs = index.index(left, right)
    compare = recordlinkage.Compare()
    compare.string("first", "first", method="jarowinkler", threshold=0.9, label="first")
    compare.string("last", "last", method="jarowinkler", threshold=0.9, label="last")
    for name in ("email", "mobile", "company", "city", "postcode"):
        compare.exact(name, name, label=name)
    features = compare.compute(pairs, left, right)
    found = recordlinkage.ECMClassifier().fit_predict(features)
    seconds = time.perf_counter() - begun
    used = resource.getrusage(resource.RUSAGE_SELF)
    same = [(a, a.split("-")[1] == b.split("-")[1]) for a, b in found]
    told = {
        "wall": seconds,
        "cpu": used.ru_utime + used.ru_stime,
        "rss": used.ru_maxrss / 1024,
        "right": len({a for a, is_right in same if is_right}),
        "wrong": sum(not is_right for _, is_right in same),
    }
    sys.stdout.write(json.dumps(told))


main()
