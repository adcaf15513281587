"""Prints the tables of a product as JSON, for people and for tests: those of DATABASE, or with
--replay those that the events on standard input lead to, one a line. At an empty line time passes,
so that what has come so far is settled."""

import itertools
import json
import os
import sqlite3
import sys
import time

from consumer import apply, open_tables, settle

BATCH = 1_000
# When everything that could be late is late.
END = 2**52


def tables(db: sqlite3.Connection) -> dict[str, list[dict[str, object]]]:
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


def main() -> None:
    replaying = "--replay" in sys.argv
    db = open_tables(":memory:" if replaying else os.environ.get("DATABASE", "product.db"))
    while replaying and (lines := list(itertools.islice(sys.stdin, BATCH))):
        with db:
            for line in lines:
                if line == "\n":
                    settle(db, time.time() * 1_000)
                else:
                    apply(db, json.loads(line))
    if replaying:
        with db:
            settle(db, END)
    print(json.dumps(tables(db), indent=None if replaying else 2))


if __name__ == "__main__":
    main()
