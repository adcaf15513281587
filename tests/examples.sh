#!/usr/bin/env bash
# The examples: their types and their tests, and each receiver at work with `scimctl serve
# --webhook`. SCIMCTL names a built scimctl, and CONVERGENCE_FILES a folder with what
# tests/it/events/convergence.rs has written; otherwise they are built.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. tests/example_tools.sh

# The program itself: a script that starts it would not pass signals on.
NODE=$(node -p process.execPath)
export NODE
SCIMCTL=$(realpath "${SCIMCTL:-${CARGO_TARGET_DIR:-target}/debug/scimctl}" || true)
[ -x "$SCIMCTL" ] || quiet "cargo build scimctl" cargo build --locked -p scimctl --bin scimctl

# The examples stay small: lines of code, without comments and types that are generated.
small() {
    local lines
    lines=$(cat "$@" | grep -vcE '^\s*(//|#|/\*\*.*\*/$|"""[^"]*"""$|$)')
    [ "$lines" -lt 150 ] || { echo "$lines lines of code in $*" >&2 && exit 1; }
}
(cd examples/consumer-typescript && small consumer.ts sqlite.ts server.ts && small consumer.ts handler.ts)
(cd examples/consumer-python && small consumer.py)

tests/event-types.sh
(cd examples/consumer-typescript && quiet "tsc" npx --no-install tsc && quiet "esbuild" npm run build)
(cd examples && MYPYPATH=consumer-python quiet "mypy" mypy --strict --cache-dir "$WORK/mypy" \
    consumer-python/consumer.py consumer-python/tables.py ./*.py)
if [ -z "${CONVERGENCE_FILES:-}" ]; then
    export CONVERGENCE_FILES=$DIR/convergence
    mkdir "$CONVERGENCE_FILES"
    quiet "cargo test events::convergence" cargo test --test it -- events::convergence
fi
(cd examples && python3 -m unittest)
(cd examples/consumer-typescript && node --test --test-reporter tap handler.test.ts)
if [ -x "$VENV/bin/sam" ]; then
    (cd examples/consumer-typescript && quiet "sam validate" sam validate --lint --template template.yaml)
fi

# tables NAME EXPRESSION: waits until the product's tables, as d, are so.
tables() {
    local command end=$((SECONDS + 20))
    command=("$NODE" examples/consumer-typescript/tables.ts)
    [ "$example" = python ] && command=(python3 examples/consumer-python/tables.py)
    until DATABASE=$DIR/$example.db "${command[@]}" >"$DIR/tables.json" && holds "$2"; do
        if ((SECONDS > end)); then
            echo "FAILED $example: $1: not so: $2" >&2
            cat "$DIR/tables.json" >&2
            FAILED=$((FAILED + 1))
            return
        fi
        sleep 0.1
    done
    PASSED=$((PASSED + 1))
    echo "ok $example: $1"
}
holds() { python3 -c 'import json, sys; d = json.load(open(sys.argv[1])); sys.exit(not eval(sys.argv[2]))' "$DIR/tables.json" "$1"; }

patch() {
    call PATCH "$1" "{\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:PatchOp\"],\"Operations\":[$2]}"
    check "patch" "${3:-200}"
}

play() {
    example=$1
    local port receiver=("$NODE" examples/consumer-typescript/server.ts)
    [ "$example" = python ] && receiver=(python3 -u examples/consumer-python/consumer.py)
    port=$(free_port)
    start "serve-$example" "$SCIMCTL" --json --data "$DIR/$example" serve --listen 127.0.0.1:0 \
        --webhook "http://127.0.0.1:$port/events"
    await 60 test -s "$DIR/serve-$example.out"
    eval "$(python3 -c 'import json, shlex, sys
for name, value in json.loads(sys.stdin.readline()).items():
    print(f"{name}={shlex.quote(str(value))}")' <"$DIR/serve-$example.out")"
    url=$base_url
    # The first user comes before the receiver is there.
    call POST /Users '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","emails":[{"value":"ada@example.com","primary":true}]}'
    check "create" 201
    local ada group code
    ada=$(cat "$DIR/id")
    start "receive-$example" env WEBHOOK_SECRET="$webhook_secret" PORT="$port" DATABASE="$DIR/$example.db" \
        RESYNC="$SCIMCTL --data $DIR/$example" "${receiver[@]}"
    tables "created" "[(u['id'], u['userName'], u['active'], u['state']) for u in d['users']] == [('$ada', 'ada@example.com', True, 'provisioned')]"
    patch "/Users/$ada" '{"op":"replace","path":"active","value":false}'
    tables "suspended" "[(u['active'], u['state']) for u in d['users']] == [(False, 'suspended')]"
    patch "/Users/$ada" '{"op":"replace","value":{"active":true,"userName":"countess@example.com"}}'
    tables "renamed" "[(u['userName'], u['active'], u['version']) for u in d['users']] == [('countess@example.com', True, 3)]"
    call POST /Groups "{\"schemas\":[\"urn:ietf:params:scim:schemas:core:2.0:Group\"],\"displayName\":\"Staff\",\"members\":[{\"value\":\"$ada\"}]}"
    check "group" 201
    group=$(cat "$DIR/id")
    tables "in the group" "[(m['group'], m['member']) for m in d['memberships']] == [('$group', '$ada')] and d['groups'][0]['displayName'] == 'Staff'"
    patch "/Groups/$group" "{\"op\":\"remove\",\"path\":\"members[value eq \\\"$ada\\\"]\"}"
    tables "not in the group" "d['memberships'] == []"
    patch "/Groups/$group" "{\"op\":\"add\",\"path\":\"members\",\"value\":[{\"value\":\"$ada\"}]}"
    tables "in the group again" "len(d['memberships']) == 1"
    code=$(python3 -c 'import json, sys; print(json.load(sys.stdin)["users"][0]["tenant"])' <"$DIR/tables.json")
    drift 0
    lose_and_resync
    call DELETE "/Users/$ada"
    check "delete" 204
    tables "deleted" "[(u['active'], u['state']) for u in d['users']] == [(False, 'deleted')] and d['memberships'] == []"
    call DELETE "/Groups/$group"
    check "delete the group" 204
    tables "no group" "d['groups'] == []"
}

# drift STATUS: exports the product's users with the command of docs/INTEGRATION.md, and compares them.
drift() {
    if ! command -v sqlite3 >/dev/null; then
        echo "skipped $example: drift, because sqlite3 is not installed"
        return
    fi
    local line status=0
    line=$(grep -m 1 '^    sqlite3 .* > users.csv$' docs/INTEGRATION.md)
    line=${line/product.db/$DIR/$example.db}
    line=${line/users.csv/$DIR/users.csv}
    bash -c "${line/\'...\'/\'$code\'}"
    "$SCIMCTL" --data "$DIR/$example" events drift demo --against "$DIR/users.csv" >"$DIR/drift.log" || status=$?
    if [ "$status" != "$1" ]; then
        echo "FAILED $example: drift: status $status in place of $1" >&2
        cat "$DIR/users.csv" "$DIR/drift.log" >&2
        FAILED=$((FAILED + 1))
        return
    fi
    PASSED=$((PASSED + 1))
    echo "ok $example: drift with status $1"
}

# The product loses its rows, and learns of a user who does not exist; a resync mends both.
lose_and_resync() {
    python3 - "$DIR/$example.db" <<'PY'
import sqlite3, sys
with sqlite3.connect(sys.argv[1], timeout=10) as db:
    db.execute("INSERT INTO users (tenant, id, state, epoch, seq, time) SELECT tenant, 'ghost', state, epoch, seq, time FROM users")
    db.execute("DELETE FROM users WHERE id <> 'ghost'")
    db.execute("DELETE FROM memberships")
PY
    tables "spoilt" "[u['id'] for u in d['users']] == ['ghost'] and d['memberships'] == []"
    drift 1
    quiet "resync" "$SCIMCTL" --data "$DIR/$example" events resync demo
    tables "mended" "[u['id'] for u in d['users']] == ['$ada'] and len(d['memberships']) == 1"
}

play python
play typescript
finish "examples"
