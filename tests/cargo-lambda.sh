#!/usr/bin/env bash
# The developer's loop: `cargo lambda watch` serves the debug build on the engine of `scimctl
# serve`. Plays a user's life over HTTP, then sends every event by `cargo lambda invoke`.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

tools
start_engine
port=$(free_port)
url=http://127.0.0.1:$port/lambda-url/scim-lambda/scim/v2
mapfile -t settings < <(function_env "$url")
start watch env "${settings[@]}" cargo lambda watch --invoke-address 127.0.0.1 --invoke-port "$port" --ignore-changes
await 30 curl -s "http://127.0.0.1:$port"

# The first call waits for the build.
invoke() {
    cargo lambda invoke --invoke-address 127.0.0.1 --invoke-port "$port" scim-lambda --data-file /dev/stdin 2>>"$DIR/invoke.log"
}
run_events invoke

life_of_a_user watch@example.com
# A body that no request can hold is refused in a form that the tool can read.
call POST /Users $'\xff'
check "a body that is not UTF-8" 400 '"UTF-8" in d["detail"]'

finish "cargo lambda"
