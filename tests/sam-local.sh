#!/usr/bin/env bash
# Runs the deployable build in Lambda's container, behind the local API Gateway of `sam local`, on
# the engine of `scimctl serve`. Plays a user's life, a filter that is too long for a URL, and what
# Okta and Entra send over HTTP, then runs `sam local invoke` once for each event of `scimctl event`.
# It pulls no image.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

IMAGE=local/provided:al2023
LOCAL=(--template "$BUILT/local.yaml" "${SAM_PARAMETERS[@]}" --invoke-image "$IMAGE" --skip-pull-image)

# The binary runs on any glibc from 2.30 on; SAM adds its runtime emulator on top.
image_ready() {
    docker image inspect "$IMAGE" >/dev/null 2>&1 && return
    quiet "debootstrap" debootstrap --variant=minbase --include=ca-certificates bookworm "$DIR/rootfs"
    tar -C "$DIR/rootfs" -c . | quiet "docker import" docker import - "$IMAGE"
}

# `sam local` passes only variables that the template declares, and an empty endpoint would break
# the SDK on AWS. So the local settings go into a copy of the built template, not into the deployed
# one.
local_template() {
    python - "$BUILT/template.yaml" "$BUILT/local.yaml" "$@" <<'PY'
import sys
from samcli.yamlhelper import yaml_dump, yaml_parse
source, target, *settings = sys.argv[1:]
template = yaml_parse(open(source).read())
variables = template["Resources"]["ScimFunction"]["Properties"]["Environment"]["Variables"]
variables.update(s.split("=", 1) for s in settings)
# `sam local` knows no conditions, and would send events of the REST API, which is not the default.
del template["Resources"]["ScimRestApi"]
open(target, "w").write(yaml_dump(template))
PY
}

tools
docker_ready
image_ready
build_function
# SAM puts containers on Docker's bridge even with `--docker-network host`. So the engine listens on
# the bridge's own address, which only this machine and its containers reach.
host=$(docker run --rm --add-host host:host-gateway "$IMAGE" getent hosts host)
start_engine "${host%% *}"
port=$(free_port)
url=http://127.0.0.1:$port/scim/v2
mapfile -t settings < <(function_env "$url")
local_template "${settings[@]}"
export AWS_ENDPOINT_URL_STS=http://127.0.0.1:9 AWS_MAX_ATTEMPTS=1 # otherwise SAM asks AWS for the account

start start-api sam local start-api "${LOCAL[@]}" --warm-containers EAGER --host 127.0.0.1 --port "$port"
await 120 curl -s "$url"

life_of_a_user sam@example.com

# API Gateway accepts no more than 10,240 bytes of request line and headers together.
long_filter() {
    python - "$1" <<'PY' >"$DIR/search"
import json, sys, urllib.parse
names = [sys.argv[1], *(f"{number}+zoë@example.com" for number in range(195))]
text = " or ".join(f'userName eq "{name}"' for name in names)
assert len(urllib.parse.quote(text)) > 10_240, "a URL could have this filter"
print(json.dumps({"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": text}))
PY
    call POST /Users "{\"schemas\":[\"urn:ietf:params:scim:schemas:core:2.0:User\"],\"userName\":\"$1\"}"
    check "create, for a long filter" 201
    call POST /Users/.search "@$DIR/search"
    check "long filter" 200 'd["totalResults"] == 1 and d["Resources"][0]["id"] == id'
    rm -f "$DIR/body" "$DIR/id"
}
long_filter long@example.com

# exchanges TRANSCRIPT: what an identity provider sends, by the player of tests/conformance.
exchanges() {
    local played status=0
    SCIM_URL=$url SCIMCTL=${SCIMCTL[0]} SCIM_DATA=$DIR/data NO_PROXY=127.0.0.1 \
        python tests/conformance/exchanges.py "$1" >"$DIR/exchanges-$1.log" || status=$?
    played=$(sed -n 's/^= exchanges|default|\([0-9]*\)|\([0-9]*\)|.*/\1 \2/p' "$DIR/exchanges-$1.log")
    [ -n "$played" ] || return 1
    PASSED=$((PASSED + ${played% *})) FAILED=$((FAILED + ${played#* } - ${played% *}))
    echo "exchanges of $1: ${played% *} of ${played#* }"
    [ $status = 0 ] || grep '^FAIL ' "$DIR/exchanges-$1.log" >&2
}
exchanges okta
exchanges entra

invoke() { sam local invoke ScimFunction "${LOCAL[@]}" -e - 2>>"$DIR/invoke.log"; }
run_events invoke

finish "sam local"
