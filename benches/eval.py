#!/usr/bin/env python3
"""Measures patina's answers on six public histories: `patina eval` on each, and their mean.

Usage: benches/eval.py FOLDER [PATINA]

Each repository of the list is cloned into FOLDER, set to the commit of the list, indexed and measured; the whole report
is kept beside it as JSON. PATINA is the program, by default `patina`; its model has to be set up. A run takes half an
hour to an hour. The first run takes longer, because it embeds the texts.
"""

import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

REPOSITORIES = """
BurntSushi/ripgrep 3fce3b5bb0236da2df6d99672afb8a719642eca7
arxanas/git-branchless 03d6ab8dc1a2ff8a2bc44709b93ea6a9038147eb
quickwit-oss/tantivy 70f0b039f5ea92ec6c38be4904f774b9d3444e65
git-lfs/git-lfs af13aa8f259f958049d3703252068e125b412d5e
unum-cloud/USearch cc23bbaf21ef52313c5a495adbc40cbd733cdcfb
NicabarNimble/patina acb8b696f737802a4f55c2057fa826c43b3b41a2
"""

WIDE = 18


def measure(folder: pathlib.Path, patina: str, name: str, commit: str) -> dict:
    clone = folder / name.replace("/", "+")
    if not clone.exists():
        subprocess.run(["git", "clone", "-q", "--no-checkout", f"https://github.com/{name}", str(clone)], check=True)
    subprocess.run(["git", "-C", str(clone), "update-ref", "--no-deref", "HEAD", commit], check=True)
    off = {**os.environ, "PATINA": "0"}
    # Indexed without a model, so that only `eval` embeds texts, and only those that it measures.
    with tempfile.TemporaryDirectory() as empty:
        without = {**off, "PATINA_DATA_DIR": empty}
        subprocess.run([patina, "-q", "-C", str(clone), "reindex"], env=without, check=True)
    start = time.monotonic()
    asked = [patina, "--json", "-q", "-C", str(clone), "eval"]
    answer = subprocess.run(asked, env=off, check=True, stdout=subprocess.PIPE, text=True).stdout
    (folder / f"{clone.name}.json").write_text(answer)
    report = json.loads(answer)
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"{name}: {time.monotonic() - start:.0f} s; no child so far held more than {most:.0f} MB", flush=True)
    return report


def table(title: str, columns: list, rows: dict) -> None:
    print(f"\n{title}")
    print(" " * 30 + "".join(f"{column:>{WIDE}}" for column in [*columns, "mean"]))
    for row, by_column in rows.items():
        known = [value for value in by_column.values() if value is not None]
        mean = f"{sum(known) / len(known):.3f}" if known else "-"
        cells = [by_column.get(column) for column in columns]
        said = ["-" if cell is None else f"{cell:.3f}" for cell in cells]
        print(f"{row:30}" + "".join(f"{cell:>{WIDE}}" for cell in [*said, mean]))


def main() -> int:
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    folder, patina = pathlib.Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "patina"
    folder.mkdir(parents=True, exist_ok=True)
    columns, lifts, below, own, within = [], {}, [], {}, {}
    for line in REPOSITORIES.split("\n"):
        if not line:
            continue
        name, commit = line.split()
        short = name.split("/")[1]
        columns.append(short)
        report = measure(folder, patina, name, commit)
        for task in report["tasks"]:
            if lift := task["lift"]:
                row = f"{task['task']} {task['subset']}"
                lifts.setdefault(row, {})[short] = lift["ratio"]
                if lift["high"] < 0:
                    below.append(f"{short} {row}")
        for dimension in report["dimensions"]:
            for rows, key in [(own, "own"), (within, "marginal")]:
                lift = dimension[key]
                rows.setdefault(dimension["name"], {})[short] = lift["ratio"] if lift else None
        if alarm := report["alarm"]:
            found = f"{100 * alarm['recall']:.0f} of a hundred found, {alarm['false_alarms']:.1f} false alarms"
            print(f"  a missing file is named: {alarm['silent'] or found}", flush=True)
    table("the answers over the best without learning, mean reciprocal rank", columns, lifts)
    print(f"surely below it: {', '.join(below) or 'none'}")
    table("each adapter alone over the base embedding, on its own task", columns, own)
    table("the answers with each adapter over the same without it", columns, within)
    return 0


if __name__ == "__main__":
    sys.exit(main())
