#!/usr/bin/env bash
# Installs the tools that build and check the Lambda into their own virtual environment, $VENV. Their
# releases and hashes are in .ci/requirements-tools.txt, which has what they depend on too;
# docs/RELEASE.md says how to change them.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
[ -x "$VENV/bin/pip" ] || quiet "python venv" python3 -m venv "$VENV"
quiet "pip install" "$VENV/bin/pip" install --no-deps --require-hashes --requirement .ci/requirements-tools.txt
