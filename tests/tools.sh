#!/usr/bin/env bash
# The tools that build and check the Lambda, pinned, in a virtual environment of their own ($VENV).
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
[ -x "$VENV/bin/pip" ] || quiet "python venv" python3 -m venv "$VENV"
quiet "pip install" "$VENV/bin/pip" install \
    cargo-lambda==1.9.2 ziglang==0.17.1 aws-sam-cli==1.170.0 cfn-lint==1.58.0 'moto[server]==5.2.5'
