#!/usr/bin/env python3
"""Measures what a first index costs on public histories, and prints it as a Markdown table.

Usage: benches/cost.py FOLDER [PATINA [RUNS]]

Each repository of the list is cloned into FOLDER as OWNER+NAME, unless it is there already, and set to the commit of
the list. Its state folder is removed, `patina reindex` runs on two processors, and meanwhile a query is repeated until
it gets an answer. PATINA is the program, by default `patina`; its model has to be set up. Times are medians of RUNS (1
by default). Memory is the peak of the largest process. Needs only Python's standard library.
"""

import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time

REPOSITORIES = """
BurntSushi/ripgrep 3fce3b5bb0236da2df6d99672afb8a719642eca7
arxanas/git-branchless 03d6ab8dc1a2ff8a2bc44709b93ea6a9038147eb
quickwit-oss/tantivy 70f0b039f5ea92ec6c38be4904f774b9d3444e65
"""

PROCESSORS = 2
# Words that occur in each of them.
QUESTION = "error message"
# Seconds between two queries, because queries take processor time from the index run.
PAUSE = 0.1
MIB = 1 << 20


def git(clone: pathlib.Path, *args: str) -> str:
    return subprocess.run(["git", "-C", str(clone), *args], check=True, stdout=subprocess.PIPE, text=True).stdout


def cloned(folder: pathlib.Path, name: str, commit: str) -> pathlib.Path:
    clone = folder / name.replace("/", "+")
    if not clone.exists():
        subprocess.run(["git", "clone", "-q", "--no-checkout", f"https://github.com/{name}", str(clone)], check=True)
    git(clone, "update-ref", "--no-deref", "HEAD", commit)
    return clone


def packed(clone: pathlib.Path) -> int:
    """Returns the size of git's object database in bytes."""
    said = dict(line.split(": ") for line in git(clone, "count-objects", "-v").splitlines())
    return 1024 * (int(said["size"]) + int(said["size-pack"]))


def size(folder: pathlib.Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def index(clone: pathlib.Path, patina: str) -> dict:
    state = clone / ".git" / "patina"
    shutil.rmtree(state, ignore_errors=True)
    off = {**os.environ, "PATINA": "0"}
    ask = [patina, "-q", "--json", "-C", str(clone), "query", "-k", "1", QUESTION]
    start = time.monotonic()
    first = None
    with subprocess.Popen([patina, "-q", "--json", "-C", str(clone), "reindex"], env=off, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True) as running:
        done = usage = None
        while done is None:
            if first is None:
                answer = subprocess.run(ask, env=off, check=False, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
                if answer.returncode == 0 and json.loads(answer.stdout)["hits"]:
                    first = time.monotonic() - start
            pid, status, usage = os.wait4(running.pid, os.WNOHANG)
            if pid:
                done, running.returncode = time.monotonic() - start, os.waitstatus_to_exitcode(status)
            else:
                time.sleep(PAUSE)
        report = json.load(running.stdout)
    if running.returncode:
        sys.exit(f"reindex of {clone} ended with {running.returncode}")
    if not report["texts_embedded"]:
        sys.exit("nothing was embedded: run `patina model prepare` first")
    memory = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return {"first": first or done, "done": done, "state": size(state), "memory": memory, **report}


def main() -> int:
    if len(sys.argv) not in (2, 3, 4):
        sys.exit(__doc__)
    folder, patina = pathlib.Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "patina"
    runs = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    folder.mkdir(parents=True, exist_ok=True)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:PROCESSORS])
    print("| | commits | clone | first answer, from words | all vectors | state on disk | peak memory |")
    print("|---|---|---|---|---|---|---|")
    for name, commit in (line.split() for line in REPOSITORIES.split("\n") if line):
        clone = cloned(folder, name, commit)
        all_runs = [index(clone, patina) for _ in range(runs)]

        def middle(key: str, all_runs: list = all_runs) -> float:
            return statistics.median(run[key] for run in all_runs)

        print(f"| {name} | {all_runs[0]['commits']:,} | {packed(clone) / MIB:.1f} MB | {middle('first'):.1f} s | {middle('done'):.0f} s | "
              f"{middle('state') / MIB:.1f} MB | {middle('memory') / MIB:.0f} MB |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
