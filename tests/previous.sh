#!/usr/bin/env bash
# Runs the function of the previous release, which tests/previous names, beside the present one on
# one table: storms of changes through both lose nothing, and neither answers a 5xx.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

tools
commit=$(<tests/previous)
git cat-file -e "$commit^{commit}" || { echo "tests/previous names $commit, which this clone lacks; fetch the whole history" >&2 && exit 1; }
mkdir -p "$WORK/previous/source"
git archive "$commit" | tar -x -m -C "$WORK/previous/source"
previous() { (cd "$WORK/previous/source" && CARGO_TARGET_DIR="$WORK/previous/target" cargo build --locked --bin scim-lambda); }
quiet "cargo build of the previous function" previous
quiet "cargo build of the function" cargo build --locked --bin scim-lambda
start_engine
# A storm deletes more users than the brake of a new tenant allows.
quiet "profile set" "${SCIMCTL[@]}" profile set demo brake.share=null brake.deactivations=null
mapfile -t settings < <(function_env "$base_url")
env "${settings[@]}" python tests/storms.py "$token" \
    "$WORK/previous/target/debug/scim-lambda" "${CARGO_TARGET_DIR:-target}/debug/scim-lambda"
