#!/usr/bin/env bash
# The promises of the store and of the token secrets, and the tool on a stack, on an independent emulator of AWS.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
tools
port=$(free_port)
start moto moto_server -H 127.0.0.1 -p "$port"
await 60 curl -sf "http://127.0.0.1:$port/moto-api/"
export SCIM_TEST_SECRETS_ENDPOINT=http://127.0.0.1:$port SCIM_TEST_DYNAMODB_ENDPOINT=http://127.0.0.1:$port

# One after another, and nothing concurrent: tests/it/endpoints.rs says why. A filter that matches no
# test passes too, so count: each promise of the store, and the contract of the secrets.
selected=(--ignored --test-threads=1 --skip concurrent another_engine)
promises=$(cargo test --test it -- --list "${selected[@]}" | grep -c ': test$')
cargo test --test it -- "${selected[@]}" | tee "$DIR/tests.out"
[ "$(grep -c '^test .* ok$' "$DIR/tests.out")" = "$promises" ] || { echo "not all moto tests ran" >&2 && exit 1; }

# The tool finds a stack by its outputs, in the form in which moto's CloudFormation tells them.
python tests/moto_stack.py "http://127.0.0.1:$port"
cargo build -q -p scimctl --bin scimctl
stack() { AWS_ENDPOINT_URL=http://127.0.0.1:$port target/debug/scimctl --stack scim-moto "$@" 2>>"$DIR/stack.log"; }
stack tenant create acme >"$DIR/acme.out"
grep -q 'Base URL  https://scim.example.com/scim/v2' "$DIR/acme.out"
stack tenant list >"$DIR/list.out"
grep -q '^acme ' "$DIR/list.out"
grep -q "^stack scim-moto, account 123456789012, eu-west-1$" "$DIR/stack.log"
echo "a stack of moto: found, and a tenant made in it"
