#!/usr/bin/env bash
# Checks template.yaml with SAM, with cfn-lint and with rules of our own. Then translates it for
# several sets of parameters, as CloudFormation would, and checks each of them with cfn-lint in
# every Region and with checkov.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
tools
CHECKOV=$WORK/venv-checkov
if [ ! -x "$CHECKOV/bin/checkov" ]; then
    quiet "python venv" python3 -m venv "$CHECKOV"
    quiet "pip install checkov" "$CHECKOV/bin/pip" install checkov==3.3.30
fi

quiet "sam validate" sam validate --lint --template template.yaml
quiet "cfn-lint" cfn-lint --include-checks I -- template.yaml
python tests/template_rules.py template.yaml Cargo.toml

sets=$DIR/sets
mkdir "$sets"
python tests/template_sets.py template.yaml docs/DEPLOY.md deploy/kms-key-policy.json "$sets"

# What SAM makes still has the mapping that it has used, parts that only a canary needs, and empty
# parameters that a condition keeps out.
quiet "cfn-lint translated" cfn-lint --include-checks I --ignore-checks W7001 W1001 W1030 -- "$sets"/*.translated.json
# AWS has no Pipes in these Regions, as far as this cfn-lint knows. There, a deployment needs Events=off.
no_pipes='ap-east-2|ap-southeast-[4567]|ca-west-1|il-central-1|mx-central-1|us-gov-(east|west)-1'
mapfile -t regions < <(python -c 'from cfnlint.helpers import REGIONS; print(*REGIONS, sep="\n")')
mapfile -t with_pipes < <(printf '%s\n' "${regions[@]}" | grep -vxE "$no_pipes")
quiet "cfn-lint in ${#with_pipes[@]} Regions" cfn-lint --include-checks I --regions "${with_pipes[@]}" -- \
    "$sets"/{default,production,rest,existing}.resolved.json
quiet "cfn-lint in ${#regions[@]} Regions" cfn-lint --include-checks I --regions ALL_REGIONS -- \
    "$sets"/{rest-small,existing-quiet}.resolved.json

# Three checks are not for this function and this API:
# CKV_AWS_116, a queue for failed asynchronous calls: only the schedule calls so, every 15 minutes,
# and WatchAlarm hears a watch that fails; the Pipes have a queue.
# CKV_AWS_117, a VPC: it reaches only DynamoDB and Secrets Manager, over TLS and by IAM.
# CKV_AWS_120, a cache in the API: it would answer a revoked token, and a read after a write wrongly.
quiet "checkov" "$CHECKOV/bin/checkov" --framework cloudformation --skip-download --quiet --compact \
    --skip-check CKV_AWS_116,CKV_AWS_117,CKV_AWS_120 \
    -f "$sets/production.resolved.json" -f "$sets/rest.resolved.json"
