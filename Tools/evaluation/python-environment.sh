# Sourced by the commands beside it: sets `python` to the interpreter of .build/realism, made on first use, or to
# FOVEA_REFERENCE_PYTHON.
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
python="${FOVEA_REFERENCE_PYTHON:-}"
if [[ -z "$python" ]]; then
    environment="$root/.build/realism"
    python="$environment/bin/python"
    if [[ ! -e "$environment/complete" ]]; then
        python3 -m venv "$environment"
        "$python" -m pip install --quiet --requirement "$root/Tools/evaluation/realism-requirements.txt" 1>&2
        touch "$environment/complete"
    fi
fi
