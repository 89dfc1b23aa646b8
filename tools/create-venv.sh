#!/bin/sh
# Makes an empty virtual environment: tools/create-venv.sh FOLDER
# Takes $PYTHON if it is set, else the first Python of at least 3.11 that really runs.
set -eu
folder=$1

new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

if [ -n "${PYTHON:-}" ]; then
    if ! new_enough "$PYTHON"; then
        echo "error: PYTHON=$PYTHON is no Python of version 3.11 or newer." >&2
        exit 1
    fi
    chosen=$PYTHON
else
    chosen=
    for candidate in python3.11 python3 python3.12 python3.13 python3.14 python; do
        if new_enough "$candidate"; then
            chosen=$candidate
            break
        fi
    done
    if [ -z "$chosen" ]; then
        echo "error: Meterwright needs Python 3.11 or newer, and none was found here." >&2
        echo "       Install one, or name it: make PYTHON=/path/to/python3.11" >&2
        exit 1
    fi
fi

if ! "$chosen" -c 'import ensurepip, venv' >/dev/null 2>&1; then
    echo "error: $chosen cannot make virtual environments (its modules venv and ensurepip are missing)." >&2
    echo "       On Debian and Ubuntu the package python3-venv brings them." >&2
    exit 1
fi

rm -rf "$folder"
"$chosen" -m venv "$folder"
