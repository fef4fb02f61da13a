#!/usr/bin/env python3
"""Checks which commits patina links to each session, in a repository that tags its sessions as ground truth.

Usage: tests/joins.py REPOSITORY [PATINA]

The ground truth of a session is the commits between its start tag and its end tag. The repository is cloned twice, with
its tags and without. In the first clone patina can use the tags; in the second, only named commits and times. Sessions
without both tags are left out. Only two clones in a temporary folder are written. PATINA is the program, by default
`patina`.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile


def git(repository, *args):
    ran = subprocess.run(["git", "-C", str(repository), *args], stdout=subprocess.PIPE, text=True, check=False)
    return ran.stdout.split() if ran.returncode == 0 else None


def asked(patina, repository, *args):
    answer = subprocess.run([patina, "--json", "-q", "-C", str(repository), *args], check=True, stdout=subprocess.PIPE,
                            env={**os.environ, "PATINA": "0"}).stdout
    return json.loads(answer)


def compare(patina, tagged, repository, sessions, live):
    """Prints how many sessions have exactly the expected commits and the recall of commits; returns the exact share."""
    exact, right, found, meant = 0, 0, 0, 0
    wrong = []
    for session, expect in sessions.items():
        expect = set(expect) & live
        have = set(asked(patina, repository, "session", "show", session)["commits"])
        exact += have == expect
        right += len(have & expect)
        found += len(have)
        meant += len(expect)
        if have != expect:
            wrong.append(session)
    print(f"{len(sessions)} sessions, {exact} exactly ({exact / max(1, len(sessions)):.1%}); of {meant} commits {right} found "
          f"({right / max(1, meant):.1%}), and {found - right} that are not theirs")
    for session in wrong[:10]:
        print(f"    not exactly: {session}")
    return exact / max(1, len(sessions))


def main():
    source, patina = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2] if len(sys.argv) > 2 else "patina"
    with tempfile.TemporaryDirectory() as scratch:
        tagged, bare = pathlib.Path(scratch) / "tagged", pathlib.Path(scratch) / "untagged"
        for clone in (tagged, bare):
            subprocess.run(["git", "clone", "-q", "--no-checkout", str(source), str(clone)], check=True)
        tags = git(bare, "tag")
        for at in range(0, len(tags), 200):
            subprocess.run(["git", "-C", str(bare), "tag", "-d", *tags[at:at + 200]], check=True, stdout=subprocess.DEVNULL)
        for clone in (tagged, bare):
            env = {**os.environ, "PATINA": "0", "PATINA_DATA_DIR": scratch}
            subprocess.run([patina, "-q", "-C", str(clone), "reindex"], check=True, env=env)
        live = set(git(tagged, "rev-list", "HEAD"))
        sessions = {}
        for session in asked(patina, tagged, "session", "list")["sessions"]:
            identity = session["id"]
            start, end = f"session-{identity}-start", f"session-{identity}-end"
            between = git(tagged, "rev-list", f"{start}..{end}") if start in tags and end in tags else None
            if between is not None:
                sessions[identity] = between
        if not sessions:
            sys.exit("no session has tags for its start and its end")
        print("by tags:  ", end="")
        by_tags = compare(patina, tagged, tagged, sessions, live)
        print("by time:  ", end="")
        compare(patina, tagged, bare, sessions, live)
    sys.exit(by_tags < 0.98)


if __name__ == "__main__":
    main()
