#!/usr/bin/env python3
"""Draws docs/picture.svg: a terminal window with real commands and patina's output.

Usage: docs/picture.py REPOSITORY [PATINA]

REPOSITORY is an indexed clone of BurntSushi/ripgrep, or of the repository that the commands below are about. PATINA is
the program, by default `patina`. Each command is run with colours; lines beyond LINES and columns beyond COLUMNS are
cut with an ellipsis. Needs only Python's standard library.
"""

import os
import pathlib
import re
import subprocess
import sys
import unicodedata
from xml.sax.saxutils import escape

# Each command, and how many lines of its output are shown.
COMMANDS = [
    (["why", "Worker::get_work"], 12),
    (["related", "crates/ignore/src/walk.rs", "-k", "4"], 12),
]
COLUMNS = 104
CELL, LINE, SIZE = 8.0, 19, 13.3
LEFT, TOP, BOTTOM = 20, 58, 20

# Maps an SGR colour to a class of the style sheet below.
COLOURS = {30: "dim", 31: "red", 32: "green", 33: "yellow", 34: "blue", 35: "magenta", 36: "cyan", 37: "text", 90: "dim",
           91: "red", 92: "green", 93: "yellow", 94: "blue", 95: "magenta", 96: "cyan", 97: "text"}

# The window follows the colour scheme of the page; a viewer without media queries shows the dark one.
STYLE = """
    .window { fill: #161b22; stroke: #3d444d } .bar { fill: #21262d }
    text { font: %spx ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; white-space: pre }
    .text { fill: #e6edf3 } .dim { fill: #9198a1 } .red { fill: #ff7b72 } .green { fill: #7ee787 } .yellow { fill: #e3b341 }
    .blue { fill: #79c0ff } .magenta { fill: #d2a8ff } .cyan { fill: #76e3ea } .bold { font-weight: 600 }
    @media (prefers-color-scheme: light) {
      .window { fill: #ffffff; stroke: #d1d9e0 } .bar { fill: #f6f8fa }
      .text { fill: #1f2328 } .dim { fill: #59636e } .red { fill: #b31d28 } .green { fill: #116329 } .yellow { fill: #744500 }
      .blue { fill: #0550ae } .magenta { fill: #6639ba } .cyan { fill: #1b7c83 }
    }
""" % SIZE

# Matches hyperlinks and other OSC sequences, and every control sequence except SGR.
OTHER = re.compile(r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b\[[0-9;?]*[A-Za-ln-z]")
SGR = re.compile(r"\x1b\[([0-9;]*)m")


def asked(patina: str, repository: str, command: list, lines: int) -> list:
    # No worker is started, and the user's settings have no effect.
    env = {**os.environ, "PATINA": "0", "COLUMNS": str(COLUMNS)}
    env.pop("NO_COLOR", None)
    ran = subprocess.run([patina, "-C", repository, "--color", "always", *command], env=env, check=True, text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    answer = OTHER.sub("", ran.stdout).rstrip("\n").split("\n")
    return answer[:lines] + (["\x1b[2m...\x1b[0m"] if len(answer) > lines else [])


def spans(line: str) -> list:
    """Returns (column, width, text, classes) for each run of one colour, cut at COLUMNS."""
    column, bold, colour, found = 0, False, "text", []
    for at, part in enumerate(SGR.split(line)):
        if at % 2:
            for code in [int(code or 0) for code in part.split(";")]:
                if code == 0:
                    bold, colour = False, "text"
                elif code in (1, 2, 22, 39):
                    bold = code == 1
                    colour = {2: "dim", 39: "text"}.get(code, colour)
                else:
                    colour = COLOURS.get(code, colour)
            continue
        text, width = "", 0
        for letter in part:
            cells = 0 if unicodedata.combining(letter) else 1 + (unicodedata.east_asian_width(letter) in "WF")
            if column + width + cells > COLUMNS - 1:
                text, width = text + "…", width + 1
                break
            text, width = text + letter, width + cells
        if text.strip():
            found.append((column, width, text, f"{colour} bold" if bold else colour))
        column += width
        if column >= COLUMNS:
            break
    return found


def drawn(lines: list) -> str:
    width, height = 2 * LEFT + COLUMNS * CELL, TOP + len(lines) * LINE + BOTTOM
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height}" width="{width:g}" height="{height}" role="img"',
           '  aria-label="A terminal with questions to patina and its answers">', f"  <style>{STYLE}  </style>",
           f'  <rect class="window" x="0.5" y="0.5" width="{width - 1:g}" height="{height - 1}" rx="9"/>',
           f'  <path class="bar" d="M1 36V9.5q0-8.5 8.5-8.5H{width - 9.5:g}q8.5 0 8.5 8.5V36z"/>']
    for at, colour in enumerate(["#ff5f57", "#febc2e", "#28c840"]):
        out.append(f'  <circle cx="{22 + 20 * at}" cy="18.5" r="6" fill="{colour}"/>')
    for row, line in enumerate(lines):
        for column, cells, text, classes in spans(line):
            # The width is set, so that columns line up in any font.
            indent = len(text) - len(text.lstrip(" "))
            body = text.strip(" ")
            cells -= len(text) - len(body)
            # Some viewers collapse consecutive spaces.
            body = body.replace(" ", "\u00a0")
            out.append(f'  <text class="{classes}" x="{LEFT + (column + indent) * CELL:g}" y="{TOP + row * LINE}" '
                       f'textLength="{cells * CELL:g}" lengthAdjust="spacingAndGlyphs">{escape(body)}</text>')
    return "\n".join([*out, "</svg>", ""])


def main() -> int:
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    repository, patina = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "patina"
    lines = []
    for command, most in COMMANDS:
        typed = " ".join(f'"{word}"' if " " in word else word for word in command)
        lines += [""] if lines else []
        lines += [f"\x1b[32m$\x1b[0m \x1b[1mpatina {typed}\x1b[0m", *asked(patina, repository, command, most)]
    (pathlib.Path(__file__).parent / "picture.svg").write_text(drawn(lines), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
