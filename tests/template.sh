#!/usr/bin/env bash
# Checks template.yaml with SAM, with cfn-lint and with rules of our own.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
tools
quiet "sam validate" sam validate --lint --template template.yaml
quiet "cfn-lint" cfn-lint --include-checks I -- template.yaml
python tests/template_rules.py template.yaml Cargo.toml
