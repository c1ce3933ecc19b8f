#!/usr/bin/env bash
# Pin requirements/*.txt anew: every version, every hash, and no address. Needs uv on PATH; nothing else here does.
# With arguments, only those packages move: tools/pin.sh --upgrade-package ruff
set -euo pipefail
cd "$(dirname "$0")/.."

command -v uv > /dev/null || { echo "uv is not on PATH; in any virtual environment: pip install uv" >&2; exit 1; }
[ $# -gt 0 ] || set -- --upgrade

pin=(uv pip compile --quiet --universal --python-version 3.11 --generate-hashes
     --no-header --no-annotate --no-emit-index-url --no-emit-find-links)
"${pin[@]}" "$@" pyproject.toml requirements/build.in --output-file requirements/run.txt
"${pin[@]}" "$@" pyproject.toml requirements/build.in requirements/test.in \
    --constraint requirements/run.txt --output-file requirements/test.txt
"${pin[@]}" "$@" pyproject.toml requirements/build.in requirements/docs.in \
    --constraint requirements/test.txt --output-file requirements/docs.txt
"${pin[@]}" "$@" requirements/ansible.in --output-file requirements/ansible.txt
"${pin[@]}" "$@" requirements/nova.in --output-file requirements/nova.txt
