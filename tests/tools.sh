#!/usr/bin/env bash
# Installs the pinned tools that build and check the Lambda into their own virtual environment,
# $VENV.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
[ -x "$VENV/bin/pip" ] || quiet "python venv" python3 -m venv "$VENV"
quiet "pip install" "$VENV/bin/pip" install \
    cargo-lambda==1.9.2 ziglang==0.17.1 aws-sam-cli==1.170.0 cfn-lint==1.58.0 'moto[server]==5.2.5'
