#!/usr/bin/env python3
"""Runs the example commands of the README again, and replaces their output there.

Usage: docs/examples.py REPOSITORY [PATINA]

REPOSITORY is an indexed clone of BurntSushi/ripgrep. In each `console` block, every line that begins with `$ patina` is
run there, and the lines below it are replaced by as many lines of its output. PATINA is the program, by default
`patina`. Needs only Python's standard library.
"""

import os
import pathlib
import re
import shlex
import subprocess
import sys

# The terminal width that answers are cut to; in answers of `who` it cuts off email addresses.
COLUMNS, WHO = 100, 61
README = pathlib.Path(__file__).resolve().parent.parent / "README.md"


def answered(patina: str, repository: str, command: str) -> list:
    words = shlex.split(command)[1:]
    env = {**os.environ, "PATINA": "0", "NO_COLOR": "1", "COLUMNS": str(WHO if words[0] == "who" else COLUMNS)}
    ran = subprocess.run([patina, "-C", repository, *words], env=env, check=True, text=True, stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL)
    return ran.stdout.rstrip("\n").split("\n")


def main() -> int:
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    repository, patina = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "patina"

    def block(match: re.Match) -> str:
        out = []
        for part in re.split(r"^(?=\$ )", match.group(1), flags=re.M):
            command, *shown = part.rstrip("\n").split("\n")
            if command.startswith("$ patina"):
                shown = answered(patina, repository, command[2:])[: len(shown)]
            out += [command, *shown] if command else []
        return "```console\n" + "\n".join(out) + "\n```"

    text = README.read_text(encoding="utf-8")
    README.write_text(re.sub(r"```console\n(.*?)\n```", block, text, flags=re.S), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
