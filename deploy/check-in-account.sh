#!/usr/bin/env bash
# check-in-account.sh STACK [TOKEN]: shows on a deployed stack what no test without an account can.
# It needs the AWS CLI, curl and python3. With the token of a test tenant it also creates a user,
# follows its event, and deletes it. It changes nothing else, and prints one line for each check.
set -uo pipefail
stack=${1:?usage: check-in-account.sh STACK [TOKEN]} token=${2:-}
passed=0 failed=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# check NAME COMMAND...: runs the command, and counts whether it succeeds.
check() {
    local name=$1
    shift
    if "$@" >"$work/out" 2>&1; then
        passed=$((passed + 1))
        echo "ok      $name"
    else
        failed=$((failed + 1))
        echo "FAILED  $name: $(tail -c 300 "$work/out" | tr '\n' ' ')"
    fi
}

is() { [ "$1" = "$2" ] || { echo "$1, expected $2" && return 1; }; }
query() { aws "$@" --output text; }
output() { awk -F'\t' -v key="$1" '$1 == key { print $2; found = 1 } END { if (!found) print "None" }' "$work/outputs"; }
status() { curl -s -o "$work/body" -w '%{http_code}' --max-time 30 "$@"; }
denied() { ! "$@" 2>"$work/denied" && grep -qi 'AccessDenied\|not authorized' "$work/denied"; }

query cloudformation describe-stacks --stack-name "$stack" --query 'Stacks[0].Outputs[].[OutputKey,OutputValue]' >"$work/outputs" || exit 2
base_url=$(output BaseUrl) table=$(output TableName) function=$(output FunctionName) key=$(output KmsKeyArn)
log=$(output FunctionLogGroup) access_log=$(output AccessLogGroup) pipe=$(output EventPipeName) bus=$(output EventBusName)
if [ "$table" = None ]; then
    echo "the stack $stack has no output TableName: is it a stack of scim-lambda?" >&2
    exit 2
fi

table() { query dynamodb describe-table --table-name "$table" --query "Table.$1"; }
check "table: active" is "$(table TableStatus)" ACTIVE
check "table: deletion protection" is "$(table DeletionProtectionEnabled)" True
check "table: stream with both images" is "$(table StreamSpecification.StreamViewType)" NEW_AND_OLD_IMAGES
check "table: expiry by x" is "$(query dynamodb describe-time-to-live --table-name "$table" \
    --query 'TimeToLiveDescription.[TimeToLiveStatus,AttributeName]' | tr '\t' ' ')" "ENABLED x"
check "table: point-in-time recovery" is "$(query dynamodb describe-continuous-backups --table-name "$table" \
    --query 'ContinuousBackupsDescription.PointInTimeRecoveryDescription.PointInTimeRecoveryStatus')" ENABLED
if [ "$key" != None ]; then
    check "table: your key" is "$(table SSEDescription.KMSMasterKeyArn)" "$key"
    for group in "$log" "$access_log"; do
        check "log $group: your key" is "$(query logs describe-log-groups --log-group-name-prefix "$group" \
            --query "logGroups[?logGroupName=='$group'].kmsKeyId|[0]")" "$key"
    done
fi

# The alias must have the settings of the newest deployment.
environment() { query lambda get-function-configuration --function-name "$function" "$@" --query 'Environment.Variables' | sort; }
check "alias live: the newest settings" is "$(environment --qualifier live)" "$(environment)"

check "API: no token is 401" is "$(status "$base_url/Users")" 401
check "API: an unknown token is 401" is "$(status -H 'Authorization: Bearer scim_not-a-token' "$base_url/Users")" 401
long=$(python3 -c 'print("x" * 11000)')
echo "note    a request line above 10,240 bytes is answered with $(status "$base_url/Users?filter=$long"): $(head -c 120 "$work/body")"
python3 -c 'print("x" * (7 << 20))' >"$work/large"
echo "note    a body of 7 MiB is answered with $(status -X POST --data-binary "@$work/large" "$base_url/Users"): $(head -c 120 "$work/body")"

if [ "$pipe" != None ]; then
    check "Pipe: running" is "$(query pipes describe-pipe --name "$pipe" --query CurrentState)" RUNNING
    # Nobody but the Pipe may put events, also no administrator.
    entry="[{\"EventBusName\": \"$bus\", \"Source\": \"scim-lambda\", \"DetailType\": \"user.deleted\", \"Detail\": \"{}\"}]"
    check "bus: refuses events of others" denied aws events put-events --entries "$entry"
    dead() { query sqs get-queue-attributes --queue-url "$(output EventDeadLettersUrl)" \
        --attribute-names ApproximateNumberOfMessages --query 'Attributes.ApproximateNumberOfMessages'; }
    check "Pipe: no dead letters" is "$(dead)" 0
fi

if [ -n "$token" ]; then
    bearer=(-H "Authorization: Bearer $token" -H 'Content-Type: application/scim+json')
    name="check-$(date +%s)@example.com"
    user="{\"schemas\": [\"urn:ietf:params:scim:schemas:core:2.0:User\"], \"userName\": \"$name\", \"active\": true}"
    check "API: a user is created" is "$(status "${bearer[@]}" -X POST --data "$user" "$base_url/Users")" 201
    id=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1])).get("id", "none"))' "$work/body" 2>/dev/null || echo none)
    search="{\"schemas\": [\"urn:ietf:params:scim:api:messages:2.0:SearchRequest\"], \"filter\": \"userName eq \\\"$name\\\"\"}"
    check "API: a search by POST" is "$(status "${bearer[@]}" -X POST --data "$search" "$base_url/Users/.search")" 200
    check "API: the user is deleted" is "$(status "${bearer[@]}" -X DELETE "$base_url/Users/$id")" 204
    sleep 15
    lines() { query logs filter-log-events --log-group-name "$1" --start-time "$((($(date +%s) - 300) * 1000))" --query 'length(events)'; }
    check "log: the function wrote lines" test "$(lines "$log")" -gt 0
    check "log: the API wrote lines" test "$(lines "$access_log")" -gt 0
    if [ "$pipe" != None ]; then
        # CloudWatch shows metrics some minutes later.
        sleep 180
        published() { query cloudwatch get-metric-statistics --namespace AWS/EventBridge/Pipes --metric-name "$1" \
            --dimensions "Name=PipeName,Value=$pipe" --statistics Sum --period 600 \
            --start-time "$(date -u -d '-10 minutes' +%FT%TZ)" --end-time "$(date -u +%FT%TZ)" --query 'sum(Datapoints[].Sum)'; }
        check "Pipe: it ran" test "$(published ExecutionStarted | cut -d. -f1)" -gt 0
        check "Pipe: no execution failed" is "$(published ExecutionFailed | cut -d. -f1)" 0
    fi
fi

echo "$passed passed, $failed failed"
exit $((failed > 0))
