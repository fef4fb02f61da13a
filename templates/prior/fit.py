#!/usr/bin/env python3
"""Fits the prior, the default weights for a repository without history, and writes templates/prior.toml.

Usage: templates/prior/fit.py FOLDER [PATINA]

Each repository of the list is cloned into FOLDER, set to the commit of the list, indexed, and fitted separately by
`patina eval --prior-row`, whose answer is kept in FOLDER/rows; a repository with a result there is skipped. PATINA is
the program, by default `patina`; its model has to be set up. Takes hours and some gigabytes.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parent.parent.parent

# Public histories of many sizes and languages; large ones end early, for what is fitted has to hold in small ones too.
REPOSITORIES = """
axios/axios 23a25af0688d1db2c396deb09229d2271cc24f6c
encode/httpx ae1b9f66238f75ced3ced5e4485408435de10768
expressjs/express c07bd31f6129f7dc202a3caa75aad79a49db0e3b
gin-gonic/gin dcaa4296d111981ffb31ac3eba90bb63e1eb5ab9
google/gson 8260eddffe413c132b3a38e68446da6bd083220d
google/leveldb 78a352f47ed6c1e9d750545e9b242289185b87e1
hyperium/hyper 8bf26d1e394a8f207debe45445a5fb85cc349238
jqlang/jq 579e6f76cffd7643ba4002a2c3618a5ea710589a
junegunn/fzf 1854922f0cca9959838b73938f10d6d8c968d4c9
libgit2/git2go 4b14d29c207e9969ea62a7fe07d490b036c14722
mitsuhiko/insta 7f23d2e4684a789a85c50503004fb38a23c9ea58
pallets/flask 26da6a5365e1fd229932f167a299128f30fae154
psf/black bbc36ea205292e213b0c9a448f630d19726605e4
psf/requests ba25184ed5f0bf9b876dea3cf4312fa35b539a7c
rust-lang/git2-rs da6c126f7733329d82748e710266af1c61591bdd
sharkdp/bat eb2f3ddb7cedff7331d8f296275f8d83d10b63be
sharkdp/fd ee20f426ddf338ac7ead5c5f00ea49258005caaf
spf13/cobra adbc8813901bba65827259daa8e22ff94ec1f30e
square/retrofit 0b118105fe8436791436b8bc9c95b9aa2cfd3bdd
tokio-rs/axum 3d78036dcac289d6c1d54934708acb6a5bd73686
vuejs/core a23e03f01ee5877b8d6a94c03b6fe6f750296cc5
"""

HEAD = """# What is known of the weights of answers before a repository has said anything: one row a public repository, fitted on
# it alone. Written by templates/prior/fit.py, which lists them.
"""


def fit(folder: pathlib.Path, patina: str, name: str, commit: str) -> dict:
    row = folder / "rows" / (name.replace("/", "+") + ".json")
    if row.exists():
        return json.loads(row.read_text())
    clone = folder / name.replace("/", "+")
    if not clone.exists():
        subprocess.run(["git", "clone", "-q", "--no-checkout", f"https://github.com/{name}", str(clone)], check=True)
    subprocess.run(["git", "-C", str(clone), "update-ref", "--no-deref", "HEAD", commit], check=True)
    # Without a model nothing of the tree is embedded: only what is measured is, by `eval`.
    with tempfile.TemporaryDirectory() as empty:
        without = {**os.environ, "PATINA": "0", "PATINA_DATA_DIR": empty}
        subprocess.run([patina, "-q", "-C", str(clone), "reindex"], env=without, check=True)
    asked = [patina, "--json", "-C", str(clone), "eval", "--prior-row"]
    answer = subprocess.run(asked, env={**os.environ, "PATINA": "0"}, check=True, stdout=subprocess.PIPE, text=True)
    row.parent.mkdir(exist_ok=True)
    row.write_text(answer.stdout)
    return json.loads(answer.stdout)


def main() -> int:
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    folder, patina = pathlib.Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "patina"
    parts = [HEAD]
    for line in REPOSITORIES.split("\n"):
        if not line:
            continue
        name, commit = line.split()
        row = fit(folder, patina, name, commit)
        parts.append(f"\n[[repository]]\nname = {json.dumps(name)}\ncommits = {json.dumps(row['commits'])}\n")
        for question, weights in row["weights"].items():
            said = ", ".join(f"{signal} = {weight:.4f}" for signal, weight in weights.items())
            parts.append(f"weights.{question} = {{ {said} }}\n")
        print(name, flush=True)
    (TOP / "templates" / "prior.toml").write_text("".join(parts))
    return 0


if __name__ == "__main__":
    sys.exit(main())
