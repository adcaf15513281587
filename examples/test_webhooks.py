"""What both receivers answer, and that they keep an event before they say so."""

from __future__ import annotations

import base64
import hmac
import http.client
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from collections.abc import Callable

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

    def __init__(self, name: str, directory: str) -> None:
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
        }
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                RECEIVERS[name], env=self.environment, stdout=log, stderr=log
            )
        self.until(lambda: self.post(b"", {}) == 401)

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
                receiver.until(lambda: f"asked {words}" in receiver.log.read_text())
                log = receiver.log.read_text()
                self.assertEqual(log.count(f"needed: scimctl {words}"), 1, log)

    def test_without_a_secret_it_does_not_start(self) -> None:
        for name, command in RECEIVERS.items():
            with self.subTest(name):
                environment = {**os.environ, "WEBHOOK_SECRET": "whsec_", "PORT": "0"}
                environment["DATABASE"] = str(pathlib.Path(self.directory, "none.db"))
                done = subprocess.run(
                    command, env=environment, capture_output=True, text=True, timeout=20
                )
                self.assertEqual(done.returncode, 1)
                self.assertIn("set WEBHOOK_SECRET", done.stderr)


if __name__ == "__main__":
    unittest.main()
