#!/usr/bin/env bash
# Runs the release binary under Lambda's own runtime interface emulator, without Docker: all events,
# and the figures that can be trusted there. The memory and init time in the emulator's REPORT line
# are made up, so memory is VmHWM of the process and time is INIT REPORT.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

bootstrap=$BUILT/ScimFunction/bootstrap

zipped_bytes() {
    python -c 'import io, sys, zipfile
out = io.BytesIO()
with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
    archive.write(sys.argv[1], "bootstrap")
print(len(out.getvalue()))' "$1"
}

# One call at a time, because two at once crash the emulator. It answers 200 to a handler's error
# and 502 to a crash, so the body decides.
invoke() {
    curl -sS --max-time 40 --data-binary @- "http://127.0.0.1:$port/2015-03-31/functions/function/invocations"
}

tools
build_function
start_engine
emulator=$(python -c 'import pathlib, samcli; print(pathlib.Path(samcli.__file__).parent / "local/rapid/aws-lambda-rie-x86_64")')
port=$(free_port)
mapfile -t settings < <(function_env "$base_url")
start emulator env "${settings[@]}" AWS_LAMBDA_FUNCTION_NAME=scim AWS_LAMBDA_FUNCTION_MEMORY_SIZE=256 \
    AWS_LAMBDA_FUNCTION_TIMEOUT=25 "$emulator" --runtime-interface-emulator-address "127.0.0.1:$port" \
    --runtime-api-address "127.0.0.1:$(free_port)" "$bootstrap"
await 20 curl -s "http://127.0.0.1:$port/"

run_events invoke

pid=${PIDS[-1]}
child=$(cat "/proc/$pid/task"/*/children | tr ' ' '\n' | grep -m1 .)
echo "init:        $(grep -ho 'INIT REPORT(.*' "$DIR"/emulator.{log,out} | head -1)"
echo "peak memory: $(awk '/VmHWM/ {print $2, $3}' "/proc/$child/status")"

# The memory of large answers above that of the idle function, in megabytes. No request may use more
# than 64.
most=0
read -r large many < <(python tests/memory.py seed "$base_url" "$token")
for query in "count=200" "count=200&sortBy=userName" "count=200&filter=groups.value%20eq%20%22$large%22" \
    "count=200&attributes=groups" "count=1&filter=groups.value%20eq%20%22$many%22" "count=200&filter=roles.value%20co%20%22y%22"; do
    idle=$(awk '/VmRSS/ {print $2}' "/proc/$child/status")
    echo 5 >"/proc/$child/clear_refs"
    "${SCIMCTL[@]}" event get-user 2>>"$DIR/event.log" | python tests/memory.py event "$query" | invoke >"$DIR/answer.json" || true
    took=$((($(awk '/VmHWM/ {print $2}' "/proc/$child/status") - idle) / 1024))
    echo "a list of $query: $took MB, status $(python -c 'import json, sys; print(json.load(sys.stdin)["statusCode"])' <"$DIR/answer.json")"
    most=$((took > most ? took : most))
done
if ((most <= 64)); then PASSED=$((PASSED + 1)); else FAILED=$((FAILED + 1)); fi
echo "binary:      $(stat -c %s "$bootstrap") bytes, $(zipped_bytes "$bootstrap") zipped"

finish "emulator"
