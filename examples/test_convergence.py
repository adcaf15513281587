"""Both consumers against events that the service itself made in random lives, shuffled, doubled,
delayed, spoilt and lost: after a resync their tables equal the directory.

CONVERGENCE_FILES names the folder in which tests/it/events/convergence.rs has written them.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import unittest

from test_consumers import CONSUMERS

FOLDER = os.environ.get("CONVERGENCE_FILES")
IN = ("provisioned", "unmanaged")


@unittest.skipUnless(FOLDER, "CONVERGENCE_FILES is not set")
class Convergence(unittest.TestCase):
    def test_the_tables_equal_the_directory_after_a_resync(self) -> None:
        worlds = sorted(pathlib.Path(FOLDER or "").glob("*.events.jsonl"))
        self.assertTrue(worlds)
        for events in worlds:
            file = events.with_name(events.name.replace("events.jsonl", "tables.json"))
            truth = json.loads(file.read_text())
            for consumer, command in CONSUMERS.items():
                with self.subTest(consumer, world=events.name), events.open() as lines:
                    command = [*command, "--replay"]
                    done = subprocess.run(
                        command, stdin=lines, capture_output=True, text=True, check=True
                    )
                    tables = json.loads(done.stdout)
                    users = tables["users"]
                    self.assertTrue(all(user["active"] == (user["state"] in IN) for user in users))
                    for table, names in {
                        "users": ("tenant", "id", "state"),
                        "groups": ("tenant", "id", "displayName"),
                        "memberships": ("tenant", "group", "member"),
                    }.items():
                        rows = [[row[name] for name in names] for row in tables[table]]
                        self.assertEqual(sorted(rows), sorted(truth[table]), table)
