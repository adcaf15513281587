#!/usr/bin/env bash
# Plays the deployment commands of README.md as far as they go without an account: against moto's
# CloudFormation and S3, up to the change set. `sam deploy --guided` gets Enter at each question.
# What is uploaded is the build of tests/sam-local.sh if there is one, or else a stand-in.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
tools
project=$DIR/project
start_cloudformation

# A copy, because `--guided` writes into samconfig.toml.
mkdir -p "$project/$BUILT/ScimFunction"
cp template.yaml samconfig.toml "$project"
if [ -e "$BUILT/ScimFunction/bootstrap" ]; then
    cp "$BUILT/ScimFunction/bootstrap" "$project/$BUILT/ScimFunction"
else
    echo "the function is not built: uploading a stand-in"
    echo stand-in >"$project/$BUILT/ScimFunction/bootstrap"
fi
sed 's|CodeUri: \.$|CodeUri: ScimFunction|' template.yaml >"$project/$BUILT/template.yaml"

deploy() { (cd "$project" && timeout 60 sam deploy --no-execute-changeset "$@"); }
enter() { deploy --guided < <(yes '' 2>/dev/null); }

# change_set STACK NAME=VALUE...: the newest change set of the stack has all of the template's
# parameters with their defaults, but these, and the function's code is in the bucket.
change_set() {
    python tests/change_set.py "$project/template.yaml" "$@"
}

# The commands of README.md are those that are played here.
wanted=$'sam build\nsam deploy\nsam deploy --guided'
sed -n '/^## Deploy it/,/^## /p' README.md | grep -oE '\bsam (build|deploy)( --guided)?' | sort -u >"$DIR/readme"
diff <(echo "$wanted") "$DIR/readme" || { echo "README.md has other commands" >&2 && exit 1; }

quiet "sam deploy" deploy
change_set scim Architecture=arm64
quiet "sam deploy production" deploy --config-env production --no-confirm-changeset
change_set scim-production Architecture=arm64 DeploymentPreference=Canary10Percent5Minutes
quiet "sam deploy guided" enter
change_set scim Architecture=arm64
grep -q 'parameter_overrides = "TableName=' "$project/samconfig.toml" || { echo "--guided saved nothing" >&2 && exit 1; }

# An event of SAM at the function would bring the question back to which Enter means no.
sed -i 's|^      CodeUri: ScimFunction$|&\n      Events: { Http: { Type: HttpApi } }|' "$project/$BUILT/template.yaml"
if enter >"$DIR/mutant" 2>&1 || ! grep -q 'Security Constraints Not Satisfied' "$DIR/mutant"; then
    echo "blind: a guided deployment goes on although an API has no authorizer" >&2
    exit 1
fi
echo "deployment: two environments and the guided questions reach their change sets"
