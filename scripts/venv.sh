# Sourced by the other scripts: makes or mends the project's virtual environment.
# An environment whose installation was interrupted carries the file `.installing` and is made anew.

set -euo pipefail
export PIP_DISABLE_PIP_VERSION_CHECK=1

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
venv="${DEEPDEBUG_VENV:-$root/.venv}"
python="$venv/bin/python"

find_python() {
    local candidate
    for candidate in python3 python3.11 python3.12 python3.13 python; do
        if "$candidate" -c 'import sys; raise SystemExit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    echo "No Python 3.11, 3.12 or 3.13 was found on PATH; install one and run this script again." >&2
    return 2
}

# install NAME REQUIREMENT...: installs the requirements and the project, unless this very list was installed before.
install() {
    local name="$1" wanted stamp
    shift
    stamp="$venv/.installed-$name"
    wanted="$(printf '%s\n' "$@" | cat - "$root/setup.cfg")"
    if [[ ! -e "$venv/.installing" && -x "$python" && "$(cat "$stamp" 2>/dev/null)" == "$wanted" ]]; then
        return
    fi
    if [[ -e "$venv/.installing" || ! -x "$python" ]]; then
        echo "Making $venv" >&2
        "$(find_python)" -m venv --clear "$venv"
    fi
    touch "$venv/.installing"
    echo "Installing $name (once)" >&2
    local requirement
    for requirement in "$@"; do # one by one: each later package accepts what the earlier ones brought
        (cd "$root" && "$python" -m pip install --quiet $requirement)
    done
    printf '%s' "$wanted" >"$stamp"
    rm "$venv/.installing"
}
