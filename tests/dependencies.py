"""Checks `cargo metadata` (on stdin) against deny.toml: licences, sources, wildcards, and crates banned by name.

It reads only the keys of deny.toml that it checks, uses only the standard library, and needs no network.
"""

import json
import re
import sys


def strings(text, key):
    """Returns the strings of `key = [...]`, without comments."""
    found = re.search(rf"^{key}\s*=\s*\[(.*?)\]", text, re.M | re.S)
    lines = re.sub(r"#.*", "", found.group(1)) if found else ""
    return re.findall(r'"([^"]*)"', lines)


def allowed(expression, allow):
    """Returns whether the allowed licences satisfy an SPDX expression; `/` is an old spelling of OR."""
    tokens = re.findall(r"[()]|[^\s()]+", expression.replace("/", " OR "))

    def either():
        met = both()
        while tokens and tokens[0].upper() == "OR":
            tokens.pop(0)
            met = both() or met
        return met

    def both():
        met = one()
        while tokens and tokens[0].upper() == "AND":
            tokens.pop(0)
            met = one() and met
        return met

    def one():
        token = tokens.pop(0)
        if token == "(":
            met = either()
            tokens.pop(0)
            return met
        if tokens and tokens[0].upper() == "WITH":
            token = " ".join([token, tokens.pop(0), tokens.pop(0)])
        return token in allow

    return either() and not tokens


def complaints(metadata, config):
    """Yields one sentence for each rule that a package violates."""
    allow, banned = strings(config, "allow"), strings(config, "deny")
    ours = set(metadata["workspace_members"])
    for package in metadata["packages"]:
        name = f"{package['name']} {package['version']}"
        if not allowed(package["license"] or "none", allow):
            yield f"{name} has the licence {package['license']!r}, which deny.toml does not allow"
        if package["name"] in banned:
            yield f"{name} is banned by deny.toml"
        if package["id"] in ours:
            for dependency in package["dependencies"]:
                if dependency["req"] == "*" and not dependency.get("path"):
                    yield f"{name} asks for any version of {dependency['name']}"
        elif not (package["source"] or "").startswith("registry+https://github.com/rust-lang/"):
            yield f"{name} comes from {package['source']} and not from the public registry"


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        config = file.read()
    metadata = json.load(sys.stdin)
    found = list(complaints(metadata, config))
    for complaint in found:
        print(complaint, file=sys.stderr)
    print(f"{len(metadata['packages'])} packages, {len(found)} complaints")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
