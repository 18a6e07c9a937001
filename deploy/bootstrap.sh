#!/bin/sh
# bootstrap.sh serve|dev: makes .venv with the pinned libraries that serving (or developing) needs.
#
# Does nothing if .venv already holds them. A stamp in .venv says what was installed and is written
# last; a run that was cut off begins anew. Indexes, proxies and certificates are pip's own
# settings: none is named here. PYTHON=… picks the interpreter.
set -eu

say() { printf 'bootstrap: %s\n' "$*" >&2; }
fail() {
    say "$@"
    exit 1
}

cd "$(dirname "$0")/.."
kind=${1:-serve}
case $kind in
    serve) pins=requirements.txt ;;
    dev) pins=requirements-dev.txt ;;
    *) fail "say serve or dev, not '$kind'" ;;
esac

# What an installation follows from; the folder too, since scripts in .venv name it.
key_of() { { pwd -P; cat "$1" pyproject.toml; } | cksum; }

stamped() { [ "$(cat ".venv/installed-$1" 2>/dev/null)" = "$(key_of "$2")" ]; }

runs() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

find_python() {
    for python in ${PYTHON:-python3 python3.13 python3.12 python3.11 python3.14}; do
        if runs "$python"; then
            echo "$python"
            return
        fi
    done
    fail "Python 3.11 or newer is needed, and ${PYTHON:-python3} is not. Install it" \
        "(Debian, Ubuntu: apt install python3 python3-venv; Fedora: dnf install python3.12;" \
        "macOS: brew install python@3.12), or name one: make PYTHON=/path/to/python3 ..."
}

# Debian leaves ensurepip out of python3; then pip has to come from the system.
make_venv() {
    if "$1" -c 'import ensurepip, venv' 2>/dev/null; then
        without=
    elif "$1" -c 'import venv' 2>/dev/null && "$1" -m pip --python "$1" --version >/dev/null 2>&1; then
        without=--without-pip
    else
        fail "$1 comes without venv and pip: apt install python3-venv (Debian, Ubuntu)," \
            "or your system's package for them, then try again"
    fi
    say "making .venv with $("$1" --version)"
    rm -rf .venv
    mkdir .venv
    : >.venv/unfinished
    "$1" -m venv ${without:+"$without"} .venv
    pwd -P >.venv/folder
}

# Whether .venv can be used as it is: it runs, is whole, and was not made for another folder. One
# that somebody made otherwise (uv, an editor) is used and not replaced.
usable_venv() {
    runs .venv/bin/python && [ ! -e .venv/unfinished ] &&
        { [ ! -e .venv/folder ] || [ "$(cat .venv/folder)" = "$(pwd -P)" ]; }
}

# pip of .venv, else one of the system that installs into it.
pip() {
    if .venv/bin/python -m pip --version >/dev/null 2>&1; then
        .venv/bin/python -m pip "$@"
    else
        "$base_python" -m pip --python .venv/bin/python "$@"
    fi
}

if usable_venv && { stamped dev requirements-dev.txt || stamped "$kind" "$pins"; }; then
    exit 0
fi

base_python=$(find_python)
usable_venv || make_venv "$base_python"
rm -f .venv/installed-*
[ ! -e .venv/folder ] || : >.venv/unfinished

quiet_pip() { pip "$@" --quiet --no-input --disable-pip-version-check; }
say "installing what $pins pins"
if ! quiet_pip install --require-hashes -r "$pins"; then
    rm -f .venv/unfinished # pip has put back what it changed
    fail "pip could not install $pins; see its message above. It uses your pip settings" \
        "(pip config list) for indexes, proxies and certificates"
fi
quiet_pip install --no-deps --no-build-isolation -e .
rm -f .venv/unfinished
key_of "$pins" >".venv/installed-$kind.new"
mv ".venv/installed-$kind.new" ".venv/installed-$kind"
say "done"
