#!/bin/sh
# Builds patina and installs it for the current user, without root. No package is installed without confirmation. Only
# the build folder, the two files in bin, the model and, with --in, files in that repository are written.
set -eu

usage() {
    cat <<'EOF'
usage: ./install.sh [--in DIR] [--yes]
       ./install.sh --uninstall [--in DIR]

Builds patina (cargo build --locked --release) and installs `patina` and `git-patina`
in $PATINA_INSTALL_DIR/bin, by default ~/.local/bin. Then fetches the model and the
ONNX Runtime with pip, by name, version and checksum, into $PATINA_DATA_DIR, by
default ~/.local/share/patina.

  --in DIR      also turn patina on in the repository at DIR: hooks, a first full
                index, its status, and one example query
  --yes         as root on Debian: install missing packages without asking
  --uninstall   remove the two programs and the model; with --in DIR take the hooks
                out there first
  --toolchain   print the environment in which cargo was found, for eval (tests/run)
  -h, --help    this text
EOF
}

say() { printf '%s\n' "$*"; }
warn() { printf 'warning: %s\n' "$*" >&2; }
die() {
    printf 'install.sh: %s\n' "$*" >&2
    exit 1
}

quoted() { # prints a word quoted for a shell
    case $1 in
        *[!A-Za-z0-9_./-]*) printf "'%s'" "$(printf '%s' "$1" | sed "s/'/'\\\\''/g")" ;;
        *) printf '%s' "$1" ;;
    esac
}

# The oldest versions that are known to work.
GIT_NEEDED=2.30
RUST_NEEDED=1.89

at_least() { # HAVE WANTED, as in 2.47.3 2.30
    have_major=${1%%.*}
    have_rest=${1#*.}
    have_minor=${have_rest%%[!0-9]*}
    [ "$have_major" -gt "${2%%.*}" ] || { [ "$have_major" -eq "${2%%.*}" ] && [ "${have_minor:-0}" -ge "${2#*.}" ]; }
}

number_in() { # prints the first version number in the input
    sed -n 's/^[^0-9]*\([0-9][0-9]*\.[0-9][0-9.]*\).*/\1/p' | head -n 1
}

# ---- what is needed ------------------------------------------------------------------------------------------------

lacking=''  # one sentence per line
packages='' # names of Debian packages
lack() {    # PACKAGES SENTENCE
    packages="$packages $1"
    lacking="$lacking
  - $2"
}

check_git() {
    if ! command -v git >/dev/null 2>&1; then
        lack git "git $GIT_NEEDED or newer (Debian: git; Fedora: git; macOS: xcode-select --install)"
        return 0
    fi
    found=$(git --version | number_in)
    at_least "$found" "$GIT_NEEDED" || lack git "git $GIT_NEEDED or newer; $(command -v git) is $found"
}

# Compiles a one-line program, to detect a compiler without headers before minutes of building.
compiles() { # COMPILER LANGUAGE PROGRAM; CC and CXX may hold a command with arguments, such as ccache gcc
    printf '%s\n' "$3" | sh -c "$1 -x $2 - -o \"\$0\"" "$scratch/probe" >/dev/null 2>&1
}

check_compilers() {
    if ! compiles "${CC:-cc}" c '#include <stdio.h>
int main(void) { return puts("") < 0; }'; then
        lack build-essential "a C compiler with headers (Debian: build-essential; Fedora: gcc; macOS: xcode-select --install)"
    fi
    if ! compiles "${CXX:-c++}" c++ '#include <string>
int main() { return std::string().size(); }'; then
        lack build-essential "a C++ compiler with headers (Debian: build-essential; Fedora: gcc-c++; macOS: xcode-select --install)"
    fi
}

check_python() {
    if ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 8))' >/dev/null 2>&1; then
        lack 'python3 python3-pip' "Python 3.8 or newer (Debian: python3 python3-pip; Fedora: python3 python3-pip)"
    elif ! python3 -m pip --version >/dev/null 2>&1; then
        lack python3-pip "pip for $(command -v python3) (Debian: python3-pip; elsewhere: python3 -m ensurepip --user)"
    fi
}

rust_works() { # whether cargo and rustc run and are new enough
    version=$(cargo --version 2>/dev/null | number_in)
    [ -n "$version" ] && rustc --version >/dev/null 2>&1 || return 1
    rust_found=$version
    at_least "$version" "$RUST_NEEDED"
}

# rustup's programs look for toolchains in ~/.rustup. If HOME differs from the one at installation, there are none, so
# the folder is derived from the location of the programs.
rust_works_beside() {
    program=$(command -v cargo) || return 1
    linked=$(readlink -f "$program" 2>/dev/null || printf '%s' "$program")
    for folder in "${program%/bin/*}" "${linked%/bin/*}"; do
        for toolchains in "${folder%/*}/.rustup" "${folder%/*}/rustup"; do
            [ -d "$toolchains/toolchains" ] || continue
            if (RUSTUP_HOME=$toolchains && export RUSTUP_HOME && rust_works); then
                RUSTUP_HOME=$toolchains
                export RUSTUP_HOME
                rust_works
                return 0
            fi
        done
    done
    return 1
}

find_rust() {
    rust_found=''
    path_before=$PATH
    user=$(id -un 2>/dev/null || :)
    case $user in
        *[!A-Za-z0-9_.-]* | '') user_home='' ;;
        *) user_home=$(eval "printf '%s' ~$user") ;;
    esac
    for folder_of_cargo in '' "${CARGO_HOME:-}" "${HOME:-}/.cargo" "$user_home/.cargo" /usr/local/cargo; do
        if [ -n "$folder_of_cargo" ]; then
            [ -x "$folder_of_cargo/bin/cargo" ] || continue
            PATH=$folder_of_cargo/bin:$path_before
        fi
        export PATH
        if rust_works || rust_works_beside; then return 0; fi
    done
    PATH=$path_before
    return 1
}

check_rust() {
    find_rust && return 0
    if [ -n "$rust_found" ]; then
        lack '' "Rust $RUST_NEEDED or newer; found was only $rust_found (rustup update stable, or https://rustup.rs)"
    elif command -v cargo >/dev/null 2>&1; then
        lack '' "a Rust toolchain: $(command -v cargo) is there but does not answer while HOME is ${HOME:-unset}.
    Set RUSTUP_HOME to the folder that holds its toolchains (such as /home/you/.rustup), or run: rustup default stable
    It says: $(cargo --version 2>&1 | head -n 1)"
    else
        lack rustup "Rust $RUST_NEEDED or newer (https://rustup.rs; the packages of most systems are too old)"
    fi
}

check_all() {
    lacking=''
    packages=''
    check_git
    check_compilers
    check_python
    check_rust
}

# As root on Debian, the missing packages can be installed right away.
offer_packages() {
    [ -n "${packages# }" ] && [ "$(id -u)" = 0 ] && [ -e /etc/debian_version ] && command -v apt-get >/dev/null 2>&1 || return 1
    wanted=''
    for package in $packages; do
        case " $wanted " in *" $package "*) continue ;; esac
        # Older releases have no rustup package.
        [ "$package" != rustup ] || apt-cache show rustup >/dev/null 2>&1 || continue
        wanted="$wanted $package"
    done
    wanted=${wanted# }
    [ -n "$wanted" ] || return 1
    if [ "$yes" = no ]; then
        [ -t 0 ] || {
            say "As root on Debian, \`./install.sh --yes\` installs: $wanted"
            return 1
        }
        printf 'Install %s with apt-get? [y/N] ' "$wanted"
        read -r answer || answer=''
        case $answer in y | Y | yes) ;; *) return 1 ;; esac
    fi
    apt-get update || warn "apt-get update failed; going on with the lists that are there"
    # shellcheck disable=SC2086 # Package names, split on purpose.
    DEBIAN_FRONTEND=noninteractive apt-get install -y $wanted || die "apt-get could not install: $wanted"
    case " $wanted " in *" rustup "*) rustup default stable || warn "rustup could not install a toolchain" ;; esac
}

# ---- the steps -----------------------------------------------------------------------------------------------------

build() {
    say "Building patina with cargo $rust_found; the first time takes some minutes."
    # Asks cargo for the path of the program, which CARGO_TARGET_DIR and configuration may change.
    cargo build --locked --release --message-format json-render-diagnostics >"$scratch/build.json" ||
        die "the build failed; what was built so far is kept, so run it again once the reason is mended"
    built=$(python3 - "$scratch/build.json" <<'EOF'
import json, sys

programs = (json.loads(line) for line in open(sys.argv[1], encoding="utf-8") if line.startswith("{"))
print([p["executable"] for p in programs if p.get("executable") and p["target"]["name"] == "patina"][-1])
EOF
    ) || die "cargo did not say where the program is"
}

install_programs() {
    mkdir -p "$bin" || die "cannot make $bin; set PATINA_INSTALL_DIR to a folder of yours"
    # Copied beside it and then renamed, so that neither a running patina nor an interruption leaves a partial file.
    rm -f "$bin/.patina.new" "$bin/.git-patina.new"
    cp "$built" "$bin/.patina.new" || die "cannot write to $bin; set PATINA_INSTALL_DIR to a folder of yours"
    chmod 755 "$bin/.patina.new"
    mv -f "$bin/.patina.new" "$bin/patina"
    ln -s patina "$bin/.git-patina.new"
    mv -f "$bin/.git-patina.new" "$bin/git-patina"
    say "Installed $bin/patina ($("$bin/patina" --version 2>/dev/null || say 'no version')) and git-patina."
    case ":$PATH:" in
        *":$bin:"*) ;;
        *) warn "$bin is not on your PATH; add to your shell's profile: export PATH=\"$bin:\$PATH\"" ;;
    esac
}

# Files are used only if their checksums match. If there is no runtime for this machine, patina works without vectors.
prepare_model() {
    say "
Fetching the model and the ONNX Runtime, and checking them"
    status=0
    "$bin/patina" model prepare || status=$?
    case $status in
        0) ;;
        4) warn "answers come from full text and history until \`patina model prepare\` succeeds" ;;
        *) die "the model could not be set up; run it again with: patina model prepare" ;;
    esac
}

turn_on() {
    say "
Turning patina on in $repository"
    (cd "$repository" && "$bin/patina" hook install) || warn "not every hook could be installed; see above"
    say "
Indexing its whole history and tree"
    (cd "$repository" && "$bin/patina" reindex --full) || die "indexing failed; run it again with: patina reindex --full"
    say ''
    (cd "$repository" && "$bin/patina" status) || die "patina status failed"
    if ! git -C "$repository" rev-parse --quiet --verify HEAD >/dev/null 2>&1; then
        say "There is no commit yet; the first one will be indexed by its hook."
        return 0
    fi
    if [ "$repository" = "$here" ]; then
        question='install a git hook'
    else
        question=$(git -C "$repository" log -1 --no-merges --format=%s 2>/dev/null || :)
    fi
    [ -n "$question" ] || return 0
    say "
\$ patina query \"$question\""
    (cd "$repository" && "$bin/patina" query -- "$question") || die "the example query failed"
}

uninstall() {
    if [ -n "$repository" ] && [ -x "$bin/patina" ]; then
        (cd "$repository" && "$bin/patina" hook uninstall) || die "the hooks of $repository could not be taken out"
    elif [ -x "$bin/patina" ]; then
        say "Hooks stay where they were installed, and do nothing. To take them out of a repository, before or after:"
        say "  ./install.sh --uninstall --in DIR"
    fi
    rm -f "$bin/.patina.new" "$bin/.git-patina.new" "$bin/patina"
    if [ -L "$bin/git-patina" ]; then rm -f "$bin/git-patina"; fi
    data=${PATINA_DATA_DIR:-${XDG_DATA_HOME:-${HOME:-}/.local/share}/patina}
    # A model that the user configured is kept.
    rm -rf "$data/models/all-minilm-l6-v2-int8" "$data/runtime" "$data/checked.json"
    rmdir "$data/models" "$data" 2>/dev/null || :
    say "Removed patina and git-patina from $bin, and its model from $data."
    say "An index stays in the .git/patina folder of its repository."
}

# ---- arguments first, then the work --------------------------------------------------------------------------------

task=install
yes=no
repository=''
while [ $# -gt 0 ]; do
    case $1 in
        --in)
            [ $# -ge 2 ] && [ -n "$2" ] || die "--in needs a folder"
            repository=$2
            shift
            ;;
        --in=?*) repository=${1#--in=} ;;
        --yes | -y) yes=yes ;;
        --uninstall) task=uninstall ;;
        --toolchain) task=toolchain ;;
        -h | --help)
            usage
            exit 0
            ;;
        *)
            usage >&2
            printf 'install.sh: unknown argument: %s\n' "$1" >&2
            exit 2
            ;;
    esac
    shift
done

# An empty HOME would make programs write to the current folder.
[ -n "${HOME:-}" ] || unset HOME

if [ "$task" = toolchain ]; then
    find_rust || exit 1
    printf 'export PATH=%s\n' "$(quoted "$PATH")"
    [ -z "${RUSTUP_HOME:-}" ] || printf 'export RUSTUP_HOME=%s\n' "$(quoted "$RUSTUP_HOME")"
    exit 0
fi

# In a hook, git sets variables that point to another repository.
for name in $(git rev-parse --local-env-vars 2>/dev/null || :); do
    case $name in GIT_*) unset "$name" ;; esac
done

started_in=$(pwd)
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
if [ -n "${PATINA_INSTALL_DIR:-}" ]; then
    prefix=$PATINA_INSTALL_DIR
elif [ -n "${HOME:-}" ]; then
    prefix=$HOME/.local
else
    die "HOME is not set, so there is no ~/.local to install to; set HOME, or PATINA_INSTALL_DIR to a folder of yours"
fi
case $prefix in /*) ;; *) prefix=$started_in/$prefix ;; esac
bin=$prefix/bin

if [ -n "$repository" ]; then
    [ -d "$repository" ] || die "$repository is not a folder"
    if command -v git >/dev/null 2>&1; then
        top=$(git -C "$repository" rev-parse --show-toplevel) || die "$repository is not in a git work tree"
        repository=$(CDPATH='' cd -- "$top" && pwd -P)
    fi
fi

if [ "$task" = uninstall ]; then
    uninstall
    exit 0
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM HUP

cd -- "$here"
check_all
if [ -n "$lacking" ] && offer_packages; then check_all; fi
[ -z "$lacking" ] || die "this is needed first:$lacking
Then run it again."

build
install_programs
prepare_model
if [ -n "$repository" ]; then turn_on; fi

again=''
if [ -n "$repository" ]; then again=" --in $(quoted "$repository")"; fi
say "
To uninstall: $(quoted "$here/install.sh") --uninstall$again"
