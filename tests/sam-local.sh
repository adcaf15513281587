#!/usr/bin/env bash
# Runs the deployable build in Lambda's container, behind the local API Gateway of `sam local`, on
# the engine of `scimctl serve`. Plays a user's life over HTTP, then runs `sam local invoke` once
# for each event of `scimctl event`. It pulls no image.
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

invoke() { sam local invoke ScimFunction "${LOCAL[@]}" -e - 2>>"$DIR/invoke.log"; }
run_events invoke

finish "sam local"
