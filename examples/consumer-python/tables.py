"""Prints the tables of a product as JSON, for people and for tests: those of DATABASE, or with
--replay those that the events on standard input lead to, one a line. A line with a number lets this
number of seconds pass. There, at an empty line and at the end, what has come is settled, and the
commands that are needed then are printed too."""

import itertools
import json
import pathlib
import sqlite3
import sys
import time

from consumer import DATABASE, apply, open_tables, settle

BATCH = 1_000
# When everything that could be late is late.
END = 2**52


def tables(db: sqlite3.Connection) -> dict[str, object]:
    db.row_factory = sqlite3.Row

    def rows(sql: str) -> list[dict[str, object]]:
        return [dict(row) for row in db.execute(sql)]

    users = rows("""SELECT tenant, id, user_name AS userName, active, state, version
        FROM users WHERE state <> 'absent' ORDER BY tenant, id""")
    return {
        "users": [{**user, "active": bool(user["active"])} for user in users],
        "memberships": rows("""SELECT tenant, group_id AS "group", member_id AS member
            FROM members ORDER BY tenant, group_id, member_id"""),
        "groups": rows("""SELECT tenant, id, display_name AS displayName, version
            FROM groups WHERE state <> 'absent' ORDER BY tenant, id"""),
        "wanted": rows("SELECT tenant, subject FROM wanted ORDER BY tenant, subject"),
    }


def read(file: str) -> sqlite3.Connection:
    """Opens the file of a consumer, which may be running, and changes nothing."""
    path = pathlib.Path(file).absolute()
    if not path.exists():
        sys.exit(f"there is no {file} here; run this where the consumer runs")
    db = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    db.execute("BEGIN")  # all tables as they are at one time
    return db


def replay() -> dict[str, object]:
    """Keeps the events on standard input as a consumer does whose clock they set."""
    db, passed, real, asked = open_tables(":memory:"), 0.0, time.time, list[list[str]]()
    setattr(time, "time", lambda: real() + passed)
    while lines := list(itertools.islice(sys.stdin, BATCH)):
        with db:
            for line in lines:
                if line.startswith("{"):
                    apply(db, json.loads(line))
                else:
                    passed += float(line.strip() or 0)
                    asked += settle(db, time.time() * 1_000)
    with db:
        for run in range(2):  # the second drops what the resyncs did not show
            asked += settle(db, END + run)
    return {**tables(db), "asked": asked}


if __name__ == "__main__":
    if "--replay" in sys.argv:
        print(json.dumps(replay()))
    else:
        print(json.dumps(tables(read(DATABASE)), indent=2))
