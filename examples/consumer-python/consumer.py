"""Receives the events of scim-lambda as webhooks, and keeps a product's tables in SQLite."""

from __future__ import annotations

import base64
import hmac
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import typing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

if typing.TYPE_CHECKING:
    from events import ScimEvent
Row = dict[str, str | int | None]

ROOT = Path(__file__).parent.parent
SETTLE = re.sub("-- .*", "", (ROOT / "settle.sql").read_text()).strip().rstrip(";").split(";")
NAMES = {"userName": "user_name", "displayName": "display_name"}
LOCK = threading.Lock()


def apply(db: sqlite3.Connection, event: ScimEvent) -> None:
    """Applies an event in the caller's transaction. An older or repeated one changes nothing."""
    if event["spec"] != 1:
        return print(f"ignored {event['type']} of spec {event['spec']}", file=sys.stderr)
    # What the event leaves out stays as it was.
    shown: Row = {NAMES[name]: str(of) for name, of in event["subject"].items() if name in NAMES}
    key: Row = {"tenant": tenant_of(event)[0], "id": event["subject"]["id"]}
    match event["type"]:
        case ("user.provisioned" | "user.imported" | "user.linked" | "user.updated" | "user.renamed"
              | "user.suspended" | "user.reactivated" | "user.deleted" | "user.restored"
              | "user.purged" | "user.released" | "user.snapshot"):
            if "data" in event:
                emails = event["data"].get("emails") or [{}]
                email = next((one for one in emails if one.get("primary")), emails[0])
                shown |= {"user_name": event["data"].get("userName"), "email": email.get("value")}
            if event["state"] == "absent":
                shown = {"user_name": None, "email": None}
            keep(db, event, "users", key, {"state": event["state"], **shown})
        case "group.created" | "group.updated" | "group.snapshot":
            keep(db, event, "groups", key, {"state": "present", **shown})
        case "group.deleted":
            keep(db, event, "groups", key, {"state": "absent", "display_name": None})
        case "group.member_added" | "group.member_removed" | "group.member_snapshot":
            group, member = event["subject"]["group"], event["subject"].get("member", key["id"])
            key = {"tenant": key["tenant"], "group_id": group, "member_id": member}
            state = "absent" if event["type"] == "group.member_removed" else "present"
            keep(db, event, "memberships", key, {"state": state})
        case "resync.started" | "resync.finished":
            hear(db, event, event["type"].removeprefix("resync."))
        case "resource.snapshot":
            hear(db, event, f"{event['subject']['type']}/{event['subject']['id']}")
        case "record.unshaped" if event["tenant"]:
            want(db, event, "all")
        case other:
            print(f"ignored {other}", file=sys.stderr)


def keep(db: sqlite3.Connection, event: ScimEvent, table: str, key: Row, shown: Row) -> None:
    """Keeps a row by the newest event of its subject."""
    where = " AND ".join(f"{name} = :{name}" for name in key)
    old = db.execute(f"SELECT version FROM {table} WHERE {where}", key).fetchone()
    place: Row = {"epoch": event["epoch"], "seq": event["seq"], "time": event["time"] or ""}
    row = {**key, **shown, **place, "version": event["version"]}
    gone = "SELECT 1 FROM settled WHERE tenant = :tenant AND subject = 'all' AND started >= :time"
    values, changes = [f":{name}" for name in row], [f"{name} = excluded.{name}" for name in row]
    kept = db.execute(
        f"""INSERT INTO {table} ({", ".join(row)}) SELECT {", ".join(values)}
        WHERE EXISTS (SELECT 1 FROM {table} WHERE {where} AND state <> 'absent')
          OR NOT EXISTS ({gone}) -- a resync would have shown it
        ON CONFLICT ({", ".join(key)}) DO UPDATE SET {", ".join(changes)}
        WHERE (excluded.epoch, excluded.seq) > ({table}.epoch, {table}.seq)""", row).rowcount
    subject = "/".join([event["subject"]["type"], *map(str, [*key.values()][1:])])
    if "resync" in event:
        hear(db, event, subject)
    elif kept and event["previousVersion"] != (old[0] if old else None):
        want(db, event, subject)  # an event is missing


def hear(db: sqlite3.Connection, event: ScimEvent, subject: str) -> None:
    """Notes what a resync says; settle.sql draws the conclusions."""
    resync, scope, total = event.get("resync"), list[str](), None
    if event["type"] == "resync.started" or event["type"] == "resync.finished":
        kind, ids = event["scope"]["kind"], event["scope"].get("ids", [])
        scope = [f"{kind[:-1].title()}/{id}" for id in ids] or [kind]
    if event["type"] == "resync.finished" and "data" in event:
        total = sum(typing.cast("dict[str, int]", event["data"]["counts"]).values())
    row = (*tenant_of(event), resync, subject, event["time"] or "", total, time.time() * 1_000)
    db.execute("INSERT OR IGNORE INTO heard VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    db.executemany("INSERT OR IGNORE INTO scopes VALUES (?, ?)", [(resync, one) for one in scope])


def want(db: sqlite3.Connection, event: ScimEvent, subject: str) -> None:
    """Notes that a resync of this subject is needed."""
    db.execute("""INSERT INTO wanted (tenant, name, subject, time, asked) VALUES (?, ?, ?, ?, 0)
        ON CONFLICT (tenant, subject) DO UPDATE SET time = excluded.time
        WHERE excluded.time > wanted.time""", (*tenant_of(event), subject, event["time"] or ""))


def tenant_of(event: ScimEvent) -> tuple[str, str]:
    tenant = event["tenant"] or {"code": "", "customer": None}
    return tenant["code"], tenant.get("name") or tenant["code"]  # ids alone have no name


def settle(db: sqlite3.Connection, now: float) -> list[list[str]]:
    """Brings resyncs to their end. Returns the arguments of scimctl for those needed now."""
    commands: dict[str, list[str]] = {}
    for tenant, name, option in [db.execute(sql, {"now": now}).fetchall() for sql in SETTLE][-1]:
        commands.setdefault(tenant, ["events", "resync", name]).extend(option.split())
    return list(commands.values())


def open_tables(file: str) -> sqlite3.Connection:
    db, schema = sqlite3.connect(file, check_same_thread=False), (ROOT / "schema.sql").read_text()
    db.executescript(f"PRAGMA journal_mode = WAL; BEGIN IMMEDIATE; {schema} COMMIT")
    return db


class Receiver(BaseHTTPRequestHandler):
    timeout = 10  # seconds of silence

    def do_POST(self) -> None:
        """Answers 2xx only when the event is stored. After any other answer, it is sent again."""
        self.send_response(self.receive(int(self.headers.get("content-length", -1))))
        self.end_headers()

    def receive(self, length: int) -> int:
        if not 0 <= length <= 1 << 20:
            return 413
        body = self.rfile.read(length)
        if not self.is_signed(body):
            print("refused: the signature does not fit WEBHOOK_SECRET, or is old", file=sys.stderr)
            return 401
        with LOCK, DB:  # commits; if something fails, no answer is sent
            apply(DB, json.loads(body))
        return 204

    def is_signed(self, body: bytes) -> bool:
        """Whether a webhook is signed as Standard Webhooks says, at most five minutes ago."""
        sent = self.headers.get("webhook-timestamp", "")
        content = f"{self.headers.get('webhook-id')}.{sent}.".encode() + body
        right = b"v1," + base64.b64encode(hmac.digest(KEY, content, "sha256"))
        given = self.headers.get("webhook-signature", "").encode().split(b" ")
        is_recent = re.fullmatch("[0-9]{1,12}", sent) and abs(time.time() - int(sent)) <= 300
        return bool(is_recent) and any(hmac.compare_digest(right, one) for one in given)


def look_after() -> None:
    """Says which resyncs are needed, and runs them if RESYNC is, say, "scimctl --data .scim"."""
    needed: list[list[str]] = []
    while True:
        try:
            time.sleep(2)
            with LOCK, DB:
                needed += settle(DB, time.time() * 1_000)
            while needed:
                words = needed.pop(0)
                print("needed: scimctl", *words, flush=True)
                if RESYNC:  # one after the other
                    subprocess.run([*RESYNC.split(), *words])
        except Exception as error:  # whatever fails, the loop goes on
            print(f"resyncs: {error}", file=sys.stderr)


SECRET, RESYNC = os.environ.get("WEBHOOK_SECRET", ""), os.environ.get("RESYNC", "")
DATABASE, PORT = os.environ.get("DATABASE", "product.db"), int(os.environ.get("PORT", "9000"))
if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C
    if not (secret := re.fullmatch("whsec_([A-Za-z0-9+/]{43})=?", SECRET)):
        sys.exit("WEBHOOK_SECRET is missing or not complete; copy all of it, from whsec_ on")
    DB, KEY = open_tables(DATABASE), base64.b64decode(secret[1] + "=")
    server = ThreadingHTTPServer(("127.0.0.1", PORT), Receiver)
    print("receiving on port", PORT, flush=True)
    threading.Thread(target=look_after, daemon=True).start()
    server.serve_forever()
