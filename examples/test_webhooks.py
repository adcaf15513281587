"""What both receivers answer, and that they keep an event before they say so."""

from __future__ import annotations

import base64
import contextlib
import hmac
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest
from collections.abc import Callable, Iterator

from simulation import Event, Tenant

HERE = pathlib.Path(__file__).parent
# The program itself: a script that starts it would not pass signals on.
NODE = subprocess.check_output(
    [os.environ.get("NODE", "node"), "-p", "process.execPath"], text=True
).strip()
RECEIVERS = {
    "python": [sys.executable, str(HERE / "consumer-python/consumer.py")],
    "typescript": [NODE, str(HERE / "consumer-typescript/server.ts")],
}
TABLES = {
    "python": [sys.executable, str(HERE / "consumer-python/tables.py")],
    "typescript": [NODE, str(HERE / "consumer-typescript/tables.ts")],
}
KEY = bytes(range(32))
SECRET = "whsec_" + base64.b64encode(KEY).decode()


def sign(key: bytes, id: str, sent: str, body: bytes) -> str:
    digest = hmac.digest(key, f"{id}.{sent}.".encode() + body, "sha256")
    return "v1," + base64.b64encode(digest).decode()


class Receiver:
    """A running receiver with a file of its own."""

    def __init__(self, name: str, directory: str, **environment: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.name, self.log = name, pathlib.Path(directory, f"{name}.log")
        database = str(pathlib.Path(directory, f"{name}.db"))
        self.environment = {
            **os.environ,
            "PORT": str(self.port),
            "DATABASE": database,
            "WEBHOOK_SECRET": SECRET,
            "RESYNC": "echo asked",
            **environment,
        }
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                RECEIVERS[name], env=self.environment, stdout=log, stderr=log
            )
        self.until(lambda: self.post(b"", {}) == 401)

    def says(self, words: str) -> None:
        self.until(lambda: words in self.log.read_text())

    def until(self, is_so: Callable[[], bool]) -> None:
        end = time.monotonic() + 20
        while time.monotonic() < end:
            try:
                if is_so():
                    return
            except OSError:
                pass
            time.sleep(0.05)
        raise AssertionError(f"{self.name}: {self.log.read_text()}")

    def request(self, method: str, body: bytes, headers: dict[str, str]) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, "/events", body, headers)
            return connection.getresponse().status
        finally:
            connection.close()

    def post(self, body: bytes, headers: dict[str, str]) -> int:
        return self.request("POST", body, headers)

    def send(self, event: Event) -> int:
        body, sent = json.dumps(event).encode(), str(int(time.time()))
        return self.post(body, headers(event["id"], sent, sign(KEY, event["id"], sent, body)))

    def tables(self) -> dict[str, list[Event]]:
        done = subprocess.run(
            TABLES[self.name], env=self.environment, capture_output=True, text=True, check=True
        )
        tables: dict[str, list[Event]] = json.loads(done.stdout)
        return tables

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()


def headers(id: str, sent: str, signature: str) -> dict[str, str]:
    return {"webhook-id": id, "webhook-timestamp": sent, "webhook-signature": signature}


class Webhooks(unittest.TestCase):
    receivers: dict[str, Receiver]
    directory: str

    @classmethod
    def setUpClass(cls) -> None:
        directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(directory.cleanup)
        cls.directory = directory.name
        cls.receivers = {}
        for name in RECEIVERS:
            cls.receivers[name] = Receiver(name, cls.directory)
            cls.addClassCleanup(cls.receivers[name].stop)

    def test_an_event_is_kept_before_the_answer(self) -> None:
        tenant = Tenant(1)
        tenant.create()
        for name, receiver in self.receivers.items():
            with self.subTest(name):
                self.assertEqual(receiver.send(tenant.events[0]), 204)
                self.assertEqual(receiver.send(tenant.events[0]), 204)
                users = [
                    user for user in receiver.tables()["users"] if user["tenant"] == tenant.code
                ]
                self.assertEqual(users, tenant.truth()["users"])

    def test_only_what_is_signed_now_with_the_secret_is_taken(self) -> None:
        tenant = Tenant(2)
        tenant.create()
        body, id, now = json.dumps(tenant.events[0]).encode(), "one", time.time()
        sent, early, late = (str(int(now + shift)) for shift in (0, -290, 290))
        right = sign(KEY, id, sent, body)
        wrong = sign(b"another key, of thirty-two bytes", id, sent, body)
        accepted = [(sent, right), (sent, f"{wrong} v1a,{right} {right}")]
        accepted += [(when, sign(KEY, id, when, body)) for when in (early, late)]
        old, new = (str(int(now + shift)) for shift in (-310, 310))
        refused = [(when, sign(KEY, id, when, body)) for when in (old, new)]
        refused += [(early, right), (sent, wrong), (sent, ""), (sent, "v1,"), (sent, right[3:])]
        refused += [(sent, right.replace("v1,", "v2,")), (sent, "v1,\u00e9"), ("now", right)]
        for name, receiver in self.receivers.items():
            with self.subTest(name):
                for when, signature in refused:
                    given = headers(id, when, signature)
                    self.assertEqual(receiver.post(body, given), 401, given)
                self.assertEqual(receiver.post(body + b" ", headers(id, sent, right)), 401)
                self.assertEqual(receiver.post(body, headers("two", sent, right)), 401)
                self.assertEqual(receiver.post(body, {}), 401)
                users = receiver.tables()["users"]
                self.assertNotIn(tenant.code, [user["tenant"] for user in users])
                for when, signature in accepted:
                    self.assertEqual(receiver.post(body, headers(id, when, signature)), 204)

    def test_other_requests_are_refused(self) -> None:
        for name, receiver in self.receivers.items():
            with self.subTest(name):
                self.assertIn(receiver.request("GET", b"", {}), (405, 501))
                self.assertEqual(receiver.post(b"", {"content-length": str(1 << 30)}), 413)

    def test_a_needed_resync_is_asked_for_once(self) -> None:
        tenant = Tenant(3)
        tenant.create()
        event = {**tenant.events[0], "version": 3, "previousVersion": 2}
        words = f"events resync {tenant.name} --user {event['subject']['id']}"
        for name, receiver in self.receivers.items():
            with self.subTest(name):
                self.assertEqual(receiver.send(event), 204)
                self.assertEqual(receiver.send({**event, "seq": "9" * 40, "version": 5}), 204)
                receiver.says(f"asked {words}")
                log = receiver.log.read_text()
                self.assertEqual(log.count(f"needed: scimctl {words}"), 1, log)

    def test_resyncs_are_run_one_after_the_other_in_one_command_for_each_tenant(self) -> None:
        program = pathlib.Path(self.directory, "resync.py")
        program.write_text(
            "import sys, time\n"
            "print('begin', *sys.argv[1:], flush=True)\n"
            "time.sleep(0.5)\n"
            "print('end')\n"
        )
        resync = f"{sys.executable} {program}"
        sizes = {20: 2, 21: 10, 22: 11}
        for name in RECEIVERS:
            with self.subTest(name), self.receiver(name, RESYNC=resync) as one:
                for number, size in sizes.items():
                    for event in gaps(number, size):
                        self.assertEqual(one.send(event), 204)
                one.until(lambda: one.log.read_text().count("end\n") >= len(sizes))
                lines = one.log.read_text().splitlines()
                marks = [line.split()[0] for line in lines if line.startswith(("begin", "end"))]
                self.assertEqual(marks, ["begin", "end"] * (len(marks) // 2))
                asked = [line.split()[1:] for line in lines if line.startswith("begin")]
                users = [words.count("--user") for words in asked if words[2] == "tenant-20"]
                self.assertEqual(sum(users), 2, asked)
                users = [words.count("--user") for words in asked if words[2] == "tenant-21"]
                self.assertEqual(sum(users), 10, asked)
                self.assertIn(["events", "resync", "tenant-22"], asked)

    def test_a_command_that_does_not_exist_ends_nothing(self) -> None:
        for name in RECEIVERS:
            with self.subTest(name), self.receiver(name, RESYNC="/no/such/scimctl --data x") as one:
                for number in (30, 31):
                    self.assertEqual(one.send(gaps(number, 1)[0]), 204)
                    one.says(f"needed: scimctl events resync tenant-{number}")
                    failed = "resyncs: .*/no/such/scimctl"
                    one.until(lambda: len(re.findall(failed, one.log.read_text())) == number - 29)
                self.assertNotIn("Traceback", one.log.read_text())
                self.assertNotIn("    at ", one.log.read_text())
                self.settles(one)

    def settles(self, receiver: Receiver) -> None:
        """The receiver still brings a resync to its end."""
        tenant = Tenant(32)
        tenant.create()
        known, tenant.events = tenant.events, []
        tenant.users.clear()
        tenant.resync()
        for event in known + tenant.events:
            self.assertEqual(receiver.send(event), 204)
        receiver.until(lambda: tenant.code not in str(receiver.tables()["users"]))

    def test_a_locked_file_delays_events_and_resyncs(self) -> None:
        for name in RECEIVERS:
            with self.subTest(name), self.receiver(name) as one:
                tenant = Tenant(33)
                tenant.create()
                other = sqlite3.connect(one.environment["DATABASE"], isolation_level=None)
                other.execute("BEGIN IMMEDIATE")
                try:
                    self.assertEqual(one.send(tenant.events[0]), 500)
                except OSError:
                    pass  # no answer
                one.says("resyncs: ")
                other.execute("ROLLBACK")
                other.close()
                log = one.log.read_text()
                self.assertIn("database is locked", log)
                self.assertNotIn("no transaction is active", log)
                self.assertEqual(one.send(tenant.events[0]), 204)
                self.assertEqual(one.tables()["users"], tenant.truth()["users"])
                self.settles(one)

    def test_refusals_and_unknown_types_have_a_line_and_its_reason(self) -> None:
        tenant = Tenant(34)
        tenant.create()
        event = tenant.events[0]
        unknown = {**event, "type": "connection.created"}
        for name in RECEIVERS:
            with self.subTest(name), self.receiver(name) as one:
                one.says(f"receiving on port {one.port}\n")
                refused = "refused: the signature does not fit WEBHOOK_SECRET, or is old\n"
                before = one.log.read_text().count(refused)
                self.assertEqual(one.post(b"{}", headers("a", str(int(time.time())), "v1,")), 401)
                one.until(lambda: one.log.read_text().count(refused) == before + 1)
                self.assertEqual(one.send(unknown), 204)
                one.says("ignored connection.created\n")
                self.assertEqual(one.send({**event, "spec": 2}), 204)
                one.says("ignored user.provisioned of spec 2\n")

    def test_the_last_character_of_the_secret_may_be_missing(self) -> None:
        tenant = Tenant(35)
        tenant.create()
        for name in RECEIVERS:
            with self.subTest(name), self.receiver(name, WEBHOOK_SECRET=SECRET.rstrip("=")) as one:
                self.assertEqual(one.send(tenant.events[0]), 204)

    def test_without_a_whole_secret_it_does_not_start(self) -> None:
        none = pathlib.Path(self.directory, "none.db")
        for name, command in RECEIVERS.items():
            for secret in ("", "whsec_", SECRET[:-2], SECRET.removeprefix("whsec_"), SECRET + "A"):
                with self.subTest(name, secret=secret):
                    environment = {**os.environ, "WEBHOOK_SECRET": secret, "PORT": "0"}
                    environment["DATABASE"] = str(none)
                    done = subprocess.run(
                        command, env=environment, capture_output=True, text=True, timeout=20
                    )
                    self.assertEqual(done.returncode, 1)
                    hint = "not complete; copy all of it, from whsec_ on\n"
                    self.assertRegex(done.stderr, f"^WEBHOOK_SECRET is missing or {hint}$")
                    self.assertFalse(none.exists())

    def test_an_interrupt_ends_it_without_a_trace(self) -> None:
        for name in RECEIVERS:
            with self.subTest(name), self.receiver(name) as one:
                one.process.send_signal(signal.SIGINT)
                self.assertEqual(one.process.wait(20), -signal.SIGINT)
                self.assertNotIn("Traceback", one.log.read_text())

    def test_the_tables_are_only_read(self) -> None:
        for name in RECEIVERS:
            with self.subTest(name), self.receiver(name) as one:
                file = pathlib.Path(one.environment["DATABASE"])
                before = file.read_bytes()
                one.tables()
                one.stop()
                self.assertEqual(one.tables()["users"], [])
                self.assertEqual(file.read_bytes(), before)
                none = file.with_name("none.db")
                one.environment["DATABASE"] = str(none)
                done = subprocess.run(
                    TABLES[name], env=one.environment, capture_output=True, text=True
                )
                hint = "here; run this where the consumer runs\n"
                self.assertRegex(done.stderr, f"^there is no .*none.db {hint}$")
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertFalse(none.exists())

    def test_a_start_disturbs_nobody_who_reads_or_writes(self) -> None:
        for name in RECEIVERS:
            with self.subTest(name), self.receiver(name) as one:
                file = pathlib.Path(one.environment["DATABASE"]).as_uri()
                reader = sqlite3.connect(f"{file}?mode=ro", uri=True)
                for _ in range(3):
                    environment = {**one.environment, "PORT": "0"}
                    log = subprocess.DEVNULL
                    again = subprocess.Popen(
                        RECEIVERS[name], env=environment, stdout=log, stderr=log
                    )
                    end = time.monotonic() + 1
                    try:
                        while time.monotonic() < end:
                            for view in ("members", "resyncs"):
                                reader.execute(f"SELECT COUNT(*) FROM {view}").fetchone()
                    finally:
                        again.terminate()
                        again.wait()
                reader.close()

    @contextlib.contextmanager
    def receiver(self, name: str, **environment: str) -> Iterator[Receiver]:
        """A receiver with an empty file."""
        with tempfile.TemporaryDirectory() as directory:
            receiver = Receiver(name, directory, **environment)
            try:
                yield receiver
            finally:
                receiver.stop()


def gaps(number: int, size: int) -> list[Event]:
    """Events of a tenant's users, whose last one each is missing."""
    tenant = Tenant(number)
    for _ in range(size):
        tenant.create()
    return [{**event, "version": 3, "previousVersion": 2} for event in tenant.events]


if __name__ == "__main__":
    unittest.main()
