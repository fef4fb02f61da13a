#!/usr/bin/env python3
"""Are sessions joined to the commits that were made in them? Held against the tags of a repository that tags its sessions.

Usage: tests/joins.py REPOSITORY [PATINA]

A session that names a tag for its start and one for its end made the commits between the two, says git. The repository is cloned
twice, with its tags and without: patina's answer for each session is compared with git's, first where it can follow the tags,
then where it has nothing but commits that are named, and time. Sessions whose tags are gone are left out. Writes nothing but two
clones in a temporary folder. PATINA is the program, `patina` where it is not named.
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
    """Sessions answered exactly as git does, those that hold all of it and more, and all; then commits."""
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
