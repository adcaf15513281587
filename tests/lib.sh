# The scripts in this directory and .ci/run source this file. They work from any directory.
#
# A script stops everything that it started, by process id, when it ends. The output of verbose
# tools goes to files in $DIR, which are printed only when the script fails. All traffic stays on
# loopback.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

WORK=$PWD/.ci-work
VENV=${VENV:-$WORK/venv}
BUILT=.aws-sam/build
mkdir -p "$WORK/sam"
DIR=$(mktemp -d "$WORK/run.XXXXXX")
PIDS=() PASSED=0 FAILED=0

export DIR PATH="$VENV/bin:$PATH" PYTHONDONTWRITEBYTECODE=1 PIP_DISABLE_PIP_VERSION_CHECK=1
export XDG_CACHE_HOME=$WORK/cache __SAM_CLI_APP_DIR=$WORK/sam SAM_CLI_TELEMETRY=0 # keep everything inside the clone
[ -e "$WORK/sam/metadata.json" ] || echo '{"lastVersionCheck": 9999999999.0}' >"$WORK/sam/metadata.json" # no version check on the index
export AWS_REGION=eu-west-1 AWS_DEFAULT_REGION=eu-west-1 AWS_EC2_METADATA_DISABLED=true
export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local
unset AWS_PROFILE AWS_SESSION_TOKEN
# SAM passes no flags to cargo-lambda, so this setting keeps it from asking rustup for the target.
export CARGO_LAMBDA_BUILD='{skip_target_check=true}'

cleanup() {
    local status=$? i log
    set +e
    trap - EXIT
    for ((i = ${#PIDS[@]} - 1; i >= 0; i--)); do
        kill "${PIDS[i]}" 2>/dev/null && wait "${PIDS[i]}" 2>/dev/null
    done
    if [ $status != 0 ]; then
        for log in "$DIR"/*.log; do
            [ -s "$log" ] && printf '\n---- %s\n' "${log##*/}" && tail -n 300 "$log"
        done >&2
    fi
    rm -rf --one-file-system "$DIR"
    exit $status
}
trap cleanup EXIT
trap 'exit 130' INT TERM

tools() { [ -x "$VENV/bin/sam" ] || tests/tools.sh; }

# quiet NAME COMMAND...: runs the command with its output in NAME.log.
quiet() {
    local name=$1 start=$SECONDS
    shift
    "$@" >>"$DIR/$name.log" 2>&1
    echo "$name: $((SECONDS - start)) s"
}

# start NAME COMMAND...: runs the command in the background, with standard output in NAME.out and
# errors in NAME.log.
start() {
    local name=$1
    shift
    "$@" >"$DIR/$name.out" 2>"$DIR/$name.log" &
    PIDS+=($!)
}

# await SECONDS COMMAND...: repeats the command until it succeeds; fails at once when the process
# that was started last is gone.
await() {
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        if ((SECONDS >= end)) || ! kill -0 "${PIDS[-1]}" 2>/dev/null; then
            echo "gave up waiting for: $*" >&2
            return 1
        fi
        sleep 0.2
    done
}

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# `sam build` and `sam local` must agree on these. x86_64, because this machine can run it.
SAM_PARAMETERS=(--parameter-overrides Architecture=x86_64)
build_function() { quiet "sam build" reproducible sam build "${SAM_PARAMETERS[@]}"; }

# reproducible COMMAND...: runs the command so that what cargo compiles in it has no path of this
# machine and no time. All builds of the function use it, because cargo compiles everything again
# when the flags change.
reproducible() {
    local from=("$PWD" "${CARGO_TARGET_DIR:-$PWD/target}" "${CARGO_HOME:-$HOME/.cargo}") to=(/source /target /cargo) i
    local rust=() c=()
    for i in "${!from[@]}"; do
        rust+=("--remap-path-prefix=${from[i]}=${to[i]}")
        c+=("'-ffile-prefix-map=${from[i]}=${to[i]}'")
    done
    env CARGO_ENCODED_RUSTFLAGS="$(IFS=$'\x1f' && echo "${rust[*]}")" \
        CFLAGS="${c[*]}" CC_SHELL_ESCAPED_FLAGS=1 SOURCE_DATE_EPOCH="$RELEASE_TIME" "$@"
}
RELEASE_TIME=315532800 # 1980, the earliest time that a zip can have

# start_engine [ADDRESS]: starts the engine that the function works on and reaches at that address.
# Sets base_url, token, dynamodb, secrets_manager, table, stack and access_key_id, and exports the
# access key under the names that AWS's tools expect.
start_engine() {
    quiet "cargo build scimctl" cargo build --locked -p scimctl --bin scimctl
    SCIMCTL=("${CARGO_TARGET_DIR:-target}/debug/scimctl" --data "$DIR/data")
    start serve "${SCIMCTL[@]}" --json serve \
        --listen 127.0.0.1:0 --dynamodb-listen "${1:-127.0.0.1}:0" --secrets-listen "${1:-127.0.0.1}:0"
    await 60 test -s "$DIR/serve.out"
    local settings
    settings=$(python -c 'import json, shlex, sys
for name, value in json.loads(sys.stdin.readline()).items():
    print(f"{name}={shlex.quote(str(value))}")' <"$DIR/serve.out")
    eval "$settings"
    export AWS_ACCESS_KEY_ID=$access_key_id AWS_SECRET_ACCESS_KEY=$secret_access_key
}

# start_cloudformation: starts an emulator of CloudFormation and S3, on which `sam deploy` gets as far
# as its change set.
start_cloudformation() {
    local port
    port=$(free_port)
    start moto moto_server -H 127.0.0.1 -p "$port"
    await 60 curl -sf "http://127.0.0.1:$port/moto-api/"
    # moto reads a template from a URL only if its host is "localhost" and the bucket is in the path.
    export AWS_ENDPOINT_URL=http://localhost:$port AWS_CONFIG_FILE=$DIR/aws-config
    printf '[default]\ns3 =\n  addressing_style = path\n' >"$AWS_CONFIG_FILE"
    # SAM makes this stack with a change set. moto does not give such a stack its outputs.
    python - <<'PY'
import boto3, json
template = {"Resources": {"Bucket": {"Type": "AWS::S3::Bucket"}}, "Outputs": {"SourceBucket": {"Value": {"Ref": "Bucket"}}}}
tags = [{"Key": "ManagedStackSource", "Value": "AwsSamCli"}]
boto3.client("cloudformation").create_stack(StackName="aws-sam-cli-managed-default", TemplateBody=json.dumps(template), Tags=tags)
PY
}

# docker_ready: starts Docker. If it is missing, installs the distribution's, as root.
docker_ready() {
    local missing=()
    command -v dockerd >/dev/null || missing+=(docker.io iptables)
    command -v debootstrap >/dev/null || missing+=(debootstrap)
    if [ ${#missing[@]} != 0 ]; then
        quiet "apt-get update" apt-get update
        DEBIAN_FRONTEND=noninteractive quiet "apt-get install" \
            apt-get install -y --no-install-recommends "${missing[@]}"
    fi
    if ! docker info >/dev/null 2>&1; then
        start dockerd dockerd
        await 60 docker info
    fi
}

# function_env BASE_URL: prints the function's environment as NAME=VALUE.
function_env() {
    echo "SCIM_TABLE=$table"
    echo "SCIM_STACK=$stack"
    echo "SCIM_BASE_URL=$1"
    echo "AWS_ENDPOINT_URL_DYNAMODB=$dynamodb"
    echo "AWS_ENDPOINT_URL_SECRETS_MANAGER=$secrets_manager"
}

# check NAME STATUS [PYTHON]: checks $DIR/answer.json; see check.py.
check() {
    if python tests/check.py "$@"; then
        PASSED=$((PASSED + 1))
    else
        FAILED=$((FAILED + 1))
    fi
}

# call METHOD PATH [BODY] [TOKEN]: sends a request to $url; the answer goes to answer.json and body.
call() {
    curl -sS --max-time 60 -o "$DIR/body" -X "$1" "$url$2" ${3:+--data "$3"} \
        -H "Authorization: Bearer ${4:-$token}" -H 'Content-Type: application/scim+json' \
        -w '{"statusCode": %{http_code}, "headers": %{header_json}}' >"$DIR/answer.json" || true
}

# life_of_a_user NAME: plays it over HTTP against $url.
life_of_a_user() {
    call POST /Users "{\"schemas\":[\"urn:ietf:params:scim:schemas:core:2.0:User\"],\"userName\":\"$1\",\"active\":true}"
    check "create" 201 "h['location'].startswith('$url/Users/') and d['userName'] == '$1'"
    id=$(cat "$DIR/id" 2>/dev/null || echo none)
    call GET "/Users/$id"
    check "get" 200 'd["id"] == id and d["active"] is True'
    call GET "/Users?filter=userName%20eq%20%22$1%22"
    check "filter" 200 'd["totalResults"] == 1 and d["Resources"][0]["id"] == id'
    call PATCH "/Users/$id" '{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","path":"active","value":false}]}'
    check "deactivate" 200 'd["id"] == id and d["active"] is False'
    call DELETE "/Users/$id"
    check "delete" 204
    call GET "/Users/$id"
    check "get after delete" 404
    call GET "/Users/$id" '' scim_not-a-token
    check "bad token" 401
    rm -f "$DIR/body" "$DIR/id"
}

# run_events COMMAND...: pipes each event that scimctl knows into COMMAND, which prints the answer.
run_events() {
    local event status expression
    while read -r event status expression; do
        # If there is no answer, check reports it.
        "${SCIMCTL[@]}" event "$event" 2>>"$DIR/event.log" | "$@" >"$DIR/answer.json" || true
        check "event $event" "$status" "$expression"
    done <<'EVENTS'
create-user 201 d["active"] is not False
get-user 200 d["id"] == id
filter-users-by-user-name 200 d["totalResults"] == 1 and d["Resources"][0]["id"] == id
deactivate-user 200 d["id"] == id and d["active"] is False
delete-user 204
bad-token 401
create-user-rest-v1 201
stream-user-created events [e["type"] for e in d] == ["user.provisioned"] and d[0]["data"]["active"]
stream-user-suspended events d[0]["type"] == "user.suspended" and d[0]["previous"] == {"active": True}
stream-group-changes events [e["type"] for e in d] == ["group.created", "group.member_added", "group.member_removed"]
stream-mixed-batch events [e["type"] for e in d] == ["user.provisioned", "record.unshaped", "user.purged"]
watch watch d["tenants"] > 0 and d["unseen"] == 0
EVENTS
}

# finish NAME: prints the last line and exits with the script's status.
finish() {
    echo "$1: $PASSED passed, $FAILED failed"
    exit $((FAILED > 0))
}
