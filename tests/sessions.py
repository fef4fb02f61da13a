#!/usr/bin/env python3
"""Counts the bullets under known headings in the session logs of a git repository, and checks patina's recall of them.

    tests/sessions.py FOLDER [COMMIT [COMMAND...]]

COMMAND is run with FOLDER and COMMIT appended, and prints one line of JSON per log: {"path", "entries": [{"category",
"content", "line"}]}, as `cargo bench --bench sessions --` does. By default `patina session list` and `session show` are
used, and FOLDER must be indexed at COMMIT. The count shares no code, rule or table with patina's reader. Bullets under
other headings count as "other", except in prompts that a person typed.
Only git objects are read, and nothing is written. Fails if patina imported less than 95 % of the bullets.
"""

import collections
import json
import re
import subprocess
import sys

# Patterns of headings as people write them, and the category of the bullets below.
HEADINGS = [
    (r"goals?", "goal"),
    (r"work completed.*|completed|key work|major accomplishments", "work"),
    (r"(key |technical |architectural |design )*decisions?( made)?( (and|&) reasoning)?", "decision"),
    (r"patterns?( observed)?", "pattern"),
    (r"challenges?( faced)?( (and|&) solutions)?", "challenge"),
    (r"previous session context", "before"),
    (r"discussion context", "context"),
    (r"(key )?(insights?|findings?|discoveries|lessons learned)", "observation"),
    (r"next steps?( identified)?", "plan"),
]
# Below this heading each paragraph is context, and counts as a bullet.
CATEGORY = {"before": "context"}
LEAST = 0.95
BULLET = re.compile(r"^(\s*)(?:[-*+•]|\d{1,3}[.)])\s+(?:\[[ xX~]\]\s*)?(.*)$")
TYPED = re.compile(r"#+ (User Prompts|\[[\d:]+\] User)")
LABEL = re.compile(r"^\*\*([^*]+?):?\*\*\s*:?\s*$")


def git(folder, *arguments):
    return subprocess.run(["git", "-C", folder, *arguments], capture_output=True, check=False).stdout


def logs(folder, commit):
    """Yields the path and text of each Markdown file that begins like a session log."""
    for line in git(folder, "ls-tree", "-r", "-z", "--full-tree", commit).decode(errors="replace").split("\0"):
        data, _, path = line.partition("\t")
        if path.endswith(".md"):
            text = git(folder, "cat-file", "blob", data.split()[2]).decode(errors="replace")
            start = text[:600]
            if re.match(r"# Session: \w", start) or re.match(r"---\r?\ntype: session\r?\n", start):
                yield path, text


def heading_of(text):
    plain = re.sub(r"\(.*?\)|[:*#]", "", text).strip().lower()
    return next((category for form, category in HEADINGS if re.fullmatch(form, plain)), None)


def bullets(text):
    """Yields line number, category, whether it is top-level, and text of each bullet, without fenced code."""
    fenced, category = False, "other"
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith(("```", "~~~")):
            fenced = not fenced
        elif not fenced:
            found = BULLET.match(line)
            label = LABEL.match(line)
            if found and category:
                yield number, category, found[1] == "", found[2]
            elif category == "before" and line.strip() and line[0] not in "#<":
                yield number, category, True, line
            elif line.startswith("#"):
                category = None if TYPED.match(line) else heading_of(line) or "other"
            elif label and category:
                category = heading_of(label[1]) or "other"


def bare(text):
    """Keeps only letters and digits, so that punctuation, bold and line ends are ignored."""
    return re.sub(r"[\W_]+", "", text).lower()


def from_command(command, folder, commit):
    out = subprocess.run([*command, folder, commit], stdout=subprocess.PIPE, check=True).stdout
    return {log["path"]: log["entries"] for log in map(json.loads, out.decode().splitlines())}


def from_patina(folder, paths):
    taken = {}
    for path in paths:
        name = path.rsplit("/", 1)[-1].removesuffix(".md")
        shown = subprocess.run(
            ["patina", "-C", folder, "session", "show", name, "--json"], stdout=subprocess.PIPE, check=False
        )
        if shown.returncode == 0:
            taken[path] = json.loads(shown.stdout)["entries"]
    return taken


def main(arguments):
    folder, commit = arguments[0], arguments[1] if len(arguments) > 1 else "HEAD"
    texts = dict(logs(folder, commit))
    taken = from_command(arguments[2:], folder, commit) if len(arguments) > 2 else from_patina(folder, texts)
    counted, kept, same, nested = (collections.Counter() for _ in range(4))
    examples = []
    for path, text in texts.items():
        entries = taken.get(path, [])
        everything = "\n".join(bare(entry["content"]) for entry in entries)
        by_category = collections.defaultdict(str)
        for entry in entries:
            by_category[entry["category"]] += "\n" + bare(entry["content"])
        for number, category, top, words in bullets(text):
            words = bare(words)
            # Empty bullets are not counted.
            if len(words) < 5 or words in ("none", "tbd", "todo"):
                continue
            counted[category] += 1
            if words in everything:
                kept[category] += 1
                same[category] += top and words in by_category[CATEGORY.get(category, category)]
            else:
                examples.append(f"{path}:{number}")
            nested[category] += not top
    print(f"{len(texts)} session logs, {len(taken)} taken")
    for category in counted:
        tops = counted[category] - nested[category]
        own = f"{same[category] / max(tops, 1):7.2%} under their own category" if category != "other" else ""
        print(
            f"{category:12} {counted[category]:5} bullets, {kept[category] / counted[category]:7.2%} taken;"
            f" {tops:5} of the first level {own}"
        )
    share = sum(kept.values()) / max(sum(counted.values()), 1)
    print(f"in all {sum(counted.values())} bullets, {share:.2%} taken; not: {' '.join(examples[:10]) or 'none'}")
    return 0 if counted and share >= LEAST else 1


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:]))
