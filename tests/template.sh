#!/usr/bin/env bash
# template.yaml: what SAM, cfn-lint and we ourselves ask of it.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
tools
quiet "sam validate" sam validate --lint --template template.yaml
quiet "cfn-lint" cfn-lint --include-checks I -- template.yaml
python tests/template_rules.py template.yaml Cargo.toml
