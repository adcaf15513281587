#!/usr/bin/env bash
# The developer's loop: `cargo lambda watch` serves the debug build, `cargo lambda invoke` feeds it
# every event file, on the engine of `scimctl serve`.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

tools
start_engine
mapfile -t settings < <(function_env https://scim.example.com/scim/v2)
port=$(free_port)
start watch env "${settings[@]}" cargo lambda watch --invoke-address 127.0.0.1 --invoke-port "$port" --ignore-changes
await 30 curl -s "http://127.0.0.1:$port"

# The first call waits for the build.
invoke() {
    cargo lambda invoke --invoke-address 127.0.0.1 --invoke-port "$port" scim-lambda --data-file "$1" 2>>"$DIR/invoke.log"
}
run_events invoke

finish "cargo lambda"
