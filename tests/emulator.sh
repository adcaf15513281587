#!/usr/bin/env bash
# The release binary under Lambda's own runtime interface emulator, without Docker: the events,
# and the figures that can be trusted there. (Its REPORT line's memory and init time are made up:
# memory is VmHWM of the process, time is INIT REPORT.)
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

bootstrap=$BUILT/ScimFunction/bootstrap

zipped_bytes() {
    python -c 'import io, sys, zipfile
out = io.BytesIO()
with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
    archive.write(sys.argv[1], "bootstrap")
print(len(out.getvalue()))' "$1"
}

# One call at a time: two at once crash the emulator. It answers 200 to a handler's error and 502 to a
# crash: the body decides.
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
echo "binary:      $(stat -c %s "$bootstrap") bytes, $(zipped_bytes "$bootstrap") zipped"

finish "emulator"
