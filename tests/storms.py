"""Storms of requests through two releases of the function on one table, for tests/previous.sh.

storms.py TOKEN PREVIOUS PRESENT

Each function runs in two processes, as Lambda runs it: one request at a time, by the runtime API,
which this script serves. People and their groups change through whichever process is free, in two storms.
The first creates, renames, deletes and restores. Before the second, in which no row goes except
memberships, every row gets an attribute that no release knows, as if a still newer release had added
it; all rows must have kept it. At the end both releases must show what the storms have done. No answer
may be a 5xx.
"""

import http.server
import json
import os
import queue
import random
import subprocess
import sys
import threading
import time

import boto3

WORKERS, STEPS, PEOPLE = 6, 150, 4
API = "/2018-06-01/runtime/invocation/"
ADDED = "zz"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


class Function:
    """A process of the function, and the runtime API that it asks for events."""

    def __init__(self, binary):
        self.events, self.answers = queue.Queue(), queue.Queue()
        function = self

        class Api(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                event = function.events.get()
                self.reply(200, json.dumps(event).encode(), event is not None)

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                if self.path.startswith(API):
                    function.answers.put((self.path.rsplit("/", 1)[1], body))
                self.reply(202, b"{}", False)

            def reply(self, status, body, is_event):
                self.send_response(status)
                if is_event:
                    self.send_header("lambda-runtime-aws-request-id", f"{random.getrandbits(64):016x}")
                    self.send_header("lambda-runtime-deadline-ms", str(int(time.time() * 1000) + 25_000))
                    self.send_header("lambda-runtime-invoked-function-arn", "arn:aws:lambda:eu-west-1:0:function:scim")
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Api)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        settings = {"AWS_LAMBDA_RUNTIME_API": "127.0.0.1:%d" % self.server.server_address[1], "AWS_LAMBDA_FUNCTION_NAME": "scim",
                    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256", "AWS_LAMBDA_FUNCTION_VERSION": "1"}
        self.process = subprocess.Popen([binary], env={**os.environ, **settings}, stdout=subprocess.DEVNULL)

    def call(self, event):
        self.events.put(event)
        while True:
            try:
                outcome, body = self.answers.get(timeout=1)
                break
            except queue.Empty:
                if self.process.poll() is not None:
                    raise SystemExit(f"a function ended with status {self.process.returncode}")
        answer = json.loads(body)
        if outcome != "response":
            raise SystemExit(f"a function failed: {answer}")
        return answer["statusCode"], json.loads(answer["body"]) if answer.get("body") else None


class Releases:
    """The processes of both releases, each of which answers one request at a time."""

    def __init__(self, token, previous, present):
        self.token = token
        self.functions = {"previous": [Function(previous) for _ in range(2)], "present": [Function(present) for _ in range(2)]}
        self.free = queue.Queue()
        for function in sum(self.functions.values(), []):
            self.free.put(function)
        self.statuses, self.lock = {}, threading.Lock()

    def send(self, method, path, body=None, release=None):
        path, _, query = path.partition("?")
        event = {
            "version": "2.0", "routeKey": "ANY /{proxy+}", "rawPath": "/scim/v2" + path, "rawQueryString": query,
            "headers": {"authorization": "Bearer " + self.token, "content-type": "application/scim+json", "host": "scim.example.com"},
            "requestContext": {"http": {"method": method, "path": "/scim/v2" + path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "storm"},
                               "stage": "$default", "requestId": "storm", "accountId": "0", "apiId": "a", "domainName": "scim.example.com",
                               "domainPrefix": "scim", "routeKey": "ANY /{proxy+}", "time": "1/Jan/2026:00:00:00 +0000", "timeEpoch": 0},
            "isBase64Encoded": False,
        }
        if body is not None:
            event["body"] = json.dumps(body)
        function = self.functions[release][0] if release else self.free.get()
        try:
            status, answer = function.call(event)
        finally:
            if not release:
                self.free.put(function)
        with self.lock:
            self.statuses[status] = self.statuses.get(status, 0) + 1
        assert status < 500, (method, path, status, answer)
        return status, answer

    def stop(self):
        for function in sum(self.functions.values(), []):
            function.process.terminate()


def patch(path, value, op="replace"):
    return {"schemas": [PATCH], "Operations": [{"op": op, "path": path, "value": value}]}


class Worker:
    """One thread of the identity provider, and what it knows of its own people and its group."""

    def __init__(self, releases, number, shared):
        self.send, self.number, self.random, self.shared = releases.send, number, random.Random(number), shared
        self.people, self.members, self.group, self.counter = {}, set(), None, 0

    def begin(self):
        for _ in range(PEOPLE):
            self.create()
        status, group = self.send("POST", "/Groups", {"displayName": f"group {self.number}", "externalId": f"g{self.number}"})
        assert status == 201, group
        self.group = group["id"]

    def create(self):
        self.counter += 1
        name = f"w{self.number}-{self.counter}@example.com"
        person = {"userName": name, "externalId": f"{self.number}-{self.counter}", "active": True, "title": "0",
                  "emails": [{"value": f"home-{name}"}]}
        status, user = self.send("POST", "/Users", person)
        assert status == 201, user
        self.people[user["id"]] = person

    def change(self, user, path, value):
        status, answer = self.send("PATCH", f"/Users/{user}", patch(path, value))
        assert status == 200, answer
        self.people[user][path] = value

    def step(self, may_move):
        user = self.random.choice(sorted(self.people))
        person = self.people[user]
        self.counter += 1
        kind = self.random.randrange(8 if may_move else 5)
        if kind == 0:
            self.change(user, "title", str(self.counter))
        elif kind == 1:
            self.change(user, "active", not person["active"])
        elif kind == 2:
            person["nickName"] = str(self.counter)
            status, answer = self.send("PUT", f"/Users/{user}", person)
            assert status == 200, answer
        elif kind == 3:
            joins = user not in self.members
            for group in (self.group, self.shared):
                status, answer = self.send("PATCH", f"/Groups/{group}", patch("members", [{"value": user}], "add" if joins else "remove"))
                assert status == 200, answer
            (self.members.add if joins else self.members.remove)(user)
        elif kind == 4:
            status, answer = self.send("GET", f"/Users?filter=userName%20eq%20%22{person['userName']}%22")
            assert status == 200 and [found["id"] for found in answer["Resources"]] == [user], answer
        elif kind == 5:
            self.change(user, "userName", f"w{self.number}-{self.counter}@example.com")
        elif kind == 6:
            status, _ = self.send("DELETE", f"/Users/{user}")
            assert status == 204
            self.members.discard(user)
            del self.people[user]
            if self.random.random() < 0.5:
                status, answer = self.send("POST", "/Users", person)
                assert status == 201 and answer["id"] == user, answer
                self.people[user] = person
        else:
            self.create()

    def run(self, may_move):
        for _ in range(STEPS):
            self.step(may_move)

    def check(self, release):
        for user, person in self.people.items():
            status, answer = self.send("GET", f"/Users/{user}", release=release)
            assert status == 200, answer
            shown = {name: answer.get(name) for name in person}
            assert shown == person, (release, shown, person)
        status, group = self.send("GET", f"/Groups/{self.group}", release=release)
        assert {member["value"] for member in group.get("members", [])} == self.members, (release, group, self.members)


def together(work, workers):
    failures = []

    def guarded(worker):
        try:
            work(worker)
        except BaseException as error:  # a thread's failure must end the script
            failures.append(f"worker {worker.number}: {type(error).__name__}: {error}")

    threads = [threading.Thread(target=guarded, args=(worker,)) for worker in workers]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    if failures:
        raise SystemExit("\n".join(failures))


class Table:
    def __init__(self):
        self.table = boto3.resource("dynamodb", endpoint_url=os.environ["AWS_ENDPOINT_URL_DYNAMODB"]).Table(os.environ["SCIM_TABLE"])

    def rows(self):
        page = {}
        while True:
            page = self.table.scan(**({"ExclusiveStartKey": page["LastEvaluatedKey"]} if page else {}))
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return

    def add_to_all(self):
        keys = {(row["p"], row["s"]) for row in self.rows()}
        for p, s in keys:
            self.table.update_item(Key={"p": p, "s": s}, UpdateExpression=f"SET {ADDED} = :added", ExpressionAttributeValues={":added": "1"})
        return keys

    def expect_kept(self, keys):
        """Memberships come and go, and nothing rewrites the log; every other row must be there and whole."""
        keys = {(p, s) for p, s in keys if "#M#" not in p and "#R#" not in p and not p.endswith("#L")}
        rows = {(row["p"], row["s"]): row for row in self.rows()}
        for key in keys:
            assert key in rows, f"a row was lost: {key}"
            assert ADDED in rows[key], f"an attribute was lost: {rows[key]}"
        return len(keys)


def main():
    _, token, previous, present = sys.argv
    releases, table = Releases(token, previous, present), Table()
    try:
        status, shared = releases.send("POST", "/Groups", {"displayName": "all"})
        assert status == 201, shared
        workers = [Worker(releases, number, shared["id"]) for number in range(WORKERS)]
        together(Worker.begin, workers)
        together(lambda worker: worker.run(True), workers)
        # From here on no row is removed and written again, so every row must keep what was added.
        keys = table.add_to_all()
        together(lambda worker: worker.run(False), workers)
        kept = table.expect_kept(keys)
        people = sum(len(worker.people) for worker in workers)
        for release in releases.functions:
            for worker in workers:
                worker.check(release)
            _, group = releases.send("GET", f"/Groups/{shared['id']}", release=release)
            members = set().union(*(worker.members for worker in workers))
            assert {member["value"] for member in group.get("members", [])} == members, (release, group)
            _, listed = releases.send("GET", "/Users?count=0", release=release)
            assert listed["totalResults"] == people, (release, listed, people)
    finally:
        releases.stop()
    print(f"previous and present release: {people} people, {kept} rows that kept an unknown attribute, answers {releases.statuses}")


main()
