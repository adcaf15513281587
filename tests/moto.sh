#!/usr/bin/env bash
# Tests the contracts of the store and of the token secrets on moto, an independent emulator of AWS.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
tools
port=$(free_port)
start moto moto_server -H 127.0.0.1 -p "$port"
await 60 curl -sf "http://127.0.0.1:$port/moto-api/"
export SCIM_TEST_SECRETS_ENDPOINT=http://127.0.0.1:$port SCIM_TEST_DYNAMODB_ENDPOINT=http://127.0.0.1:$port

# A filter that matches no test passes too, so check that both tests ran.
cargo test --test it -- --ignored endpoints | tee "$DIR/tests.out"
[ "$(grep -c '^test endpoints::.* ok$' "$DIR/tests.out")" = 2 ] || { echo "not all moto tests ran" >&2 && exit 1; }
