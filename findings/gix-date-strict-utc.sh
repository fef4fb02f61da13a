#!/usr/bin/env bash
# gix-date 0.18.1 formats UTC otherwise than git does in the format of the same name.
#
# gix-date is gitoxide's reimplementation of git's dates, and ISO8601_STRICT the counterpart of `--date=iso-strict`. For
# the offset 0 git, since 2.45, prints `Z`; gix-date prints `+00:00`. Both are valid ISO 8601, and gix-date parses both,
# but a program that prints dates beside git's, or compares them as text, has two spellings of one moment. Other offsets
# agree.
#
# Seen: gix-date 0.18.1 and git 2.47.3: `2025-06-15T15:06:40+00:00` and `2025-06-15T15:06:40Z`.
# Exits with 1 if that changes, with 2 if it cannot be tried here (git older than 2.45).
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

version=$(git version | sed 's/[^0-9]*\([0-9]*\)\.\([0-9]*\).*/\1 \2/')
read -r major minor <<<"$version"
if [ "$major" -lt 2 ] || { [ "$major" -eq 2 ] && [ "$minor" -lt 45 ]; }; then
    echo "git is older than 2.45, which wrote +00:00 itself" >&2
    exit 2
fi

cargo init --quiet --vcs none --name strict .
cargo add --quiet gix-date@=0.18.1
cat >src/main.rs <<'RUST'
fn main() {
    for offset in [0, 3600] {
        let time = gix_date::Time::new(1_750_000_000, offset);
        println!("{}", time.format(gix_date::time::format::ISO8601_STRICT).unwrap());
    }
}
RUST
ours=$(cargo run --quiet)

git init --quiet repository
for offset in +0000 +0100; do
    GIT_AUTHOR_DATE="1750000000 $offset" GIT_COMMITTER_DATE="1750000000 $offset" GIT_CONFIG_GLOBAL=/dev/null \
        git -C repository -c user.name=A -c user.email=a@example.org commit --quiet --allow-empty --message x
done
theirs=$(git -C repository log --reverse --format=%aI)

echo "gix-date: ${ours//$'\n'/ }"
echo "git:      ${theirs//$'\n'/ }"
[ "$ours" = $'2025-06-15T15:06:40+00:00\n2025-06-15T16:06:40+01:00' ] &&
    [ "$theirs" = $'2025-06-15T15:06:40Z\n2025-06-15T16:06:40+01:00' ]
