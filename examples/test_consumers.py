"""What both consumers must do, whatever they are written in.

The environment's NODE is the program that runs TypeScript.
"""

from __future__ import annotations

import json
import os
import pathlib
import random
import subprocess
import sys
import unittest
import unittest.mock
from collections.abc import Iterator

from simulation import Event, Tenant, shuffle, spoil

HERE = pathlib.Path(__file__).parent
CONSUMERS = {
    "python": [sys.executable, str(HERE / "consumer-python/tables.py")],
    "typescript": [os.environ.get("NODE", "node"), str(HERE / "consumer-typescript/tables.ts")],
}
SEED = int(os.environ.get("SEED", "1"))
TENANTS = int(os.environ.get("TENANTS", "40"))


def replay(consumer: str, events: list[Event]) -> dict[str, list[Event]]:
    """The tables after these events. At an empty event, and when time passes, it is settled."""
    lines = "".join(
        (str(event.get("pass", "")) if len(event) < 2 else json.dumps(event)) + "\n"
        for event in events
    )
    command = [*CONSUMERS[consumer], "--replay"]
    done = subprocess.run(command, input=lines, capture_output=True, text=True, check=False)
    if done.returncode:
        raise AssertionError(done.stderr)
    tables: dict[str, list[Event]] = json.loads(done.stdout)
    return tables


class Consumers(unittest.TestCase):
    def each(self, events: list[Event]) -> Iterator[dict[str, list[Event]]]:
        for consumer in CONSUMERS:
            with self.subTest(consumer):
                yield replay(consumer, events)

    def converge(self, events: list[Event], tenants: list[Tenant]) -> None:
        truth: dict[str, list[Event]] = {"users": [], "memberships": [], "groups": []}
        for tenant in sorted(tenants, key=lambda tenant: tenant.code):
            for table, rows in tenant.truth().items():
                truth[table] += rows
        for tables in self.each(events):
            for table, rows in truth.items():
                self.assertEqual(tables[table], rows, f"{table} with SEED={SEED}")

    def lives(self, body: str) -> None:
        dice = random.Random(SEED)
        tenants, streams = [], []
        for number in range(TENANTS):
            tenant = Tenant(SEED * 1_000 + number, body)
            for _ in range(dice.randrange(150)):
                tenant.happen()
            if dice.random() < 0.3:
                tenant.resync(changes=1, shown=dice.random())  # it is interrupted
            if dice.random() < 0.3:
                tenant.resync(changes=1, since=tenant.clock - dice.randrange(100))
            spoilt = spoil(dice, tenant.events)
            tenant.events, tenant.clock = [], tenant.clock + 1
            if dice.random() < 0.3:
                tenant.resync(changes=1, shown=dice.random())
            tenant.resync(changes=1)
            for _ in range(dice.randrange(30)):
                tenant.happen()
            tenants.append(tenant)
            streams.append(shuffle(dice, spoilt + spoil(dice, tenant.events, lose=0, poison=0)))
        # The tenants' events are mixed, each tenant's in their order.
        order = [number for number, stream in enumerate(streams) for _ in stream]
        dice.shuffle(order)
        sources = [iter(stream) for stream in streams]
        self.converge([next(sources[number]) for number in order], tenants)

    def test_random_lives_converge_after_a_resync(self) -> None:
        self.lives("full")

    def test_random_lives_converge_when_only_ids_are_sent(self) -> None:
        self.lives("ids")


class Cases(unittest.TestCase):
    """One thing at a time. A tenant has a user and a group, and the user is in the group."""

    def setUp(self) -> None:
        self.tenant = Tenant(1)
        self.tenant.create()
        self.user = next(iter(self.tenant.users))
        self.tenant.users[self.user].state = "provisioned"
        self.tenant.events = []
        self.tenant.tell_user("user.provisioned", self.user, None)
        self.tenant.groups["g"] = ("Staff", 1)
        self.tenant.tell_group("group.created", "g", None)
        self.tenant.members.add(("g", self.user))
        self.tenant.tell_member("added", ("g", self.user))

    def check(
        self,
        events: list[Event],
        wanted: list[str] = [],
        asked: list[str] | None = None,
        **expected: list[Event],
    ) -> None:
        """The tables hold the truth, or what is expected in its place."""
        for consumer in CONSUMERS:
            tables = replay(consumer, events)
            subjects = [row["subject"] for row in tables.pop("wanted")]
            self.assertEqual(subjects, wanted, consumer)
            commands = [sorted(words) for words in tables.pop("asked")]
            if asked is not None:
                begin = f"events resync {self.tenant.name}"
                expected_commands = [sorted(f"{begin} {options}".split()) for options in asked]
                self.assertEqual(commands, expected_commands, consumer)
            self.assertEqual(tables, self.tenant.truth() | expected, consumer)

    def add_user(self) -> str:
        known = set(self.tenant.users)
        self.tenant.create()
        return (set(self.tenant.users) - known).pop()

    def remove_user(self, id: str) -> None:
        user = self.tenant.users.pop(id)
        subject = {"type": "User", "id": id}
        self.tenant.emit("user.deleted", subject, previousVersion=user.version, state="absent")

    def rename_group(self, name: str) -> None:
        version = self.tenant.groups["g"][1]
        self.tenant.groups["g"] = (name, version + 1)
        self.tenant.tell_group("group.updated", "g", version)

    def delete_group(self) -> None:
        del self.tenant.groups["g"]
        self.tenant.emit("group.deleted", {"type": "Group", "id": "g"}, previousVersion=1)

    def test_what_is_told_is_kept(self) -> None:
        self.check(self.tenant.events)

    def test_repeated_events_change_nothing(self) -> None:
        self.check(self.tenant.events * 3)

    def test_order_does_not_matter(self) -> None:
        self.remove_user(self.user)
        self.tenant.part([("g", self.user)])
        self.delete_group()
        for seed in range(5):
            events = random.Random(seed).sample(self.tenant.events, len(self.tenant.events))
            for consumer in CONSUMERS:
                tables = replay(consumer, events)
                self.assertEqual([tables[name] for name in self.tenant.truth()], [[], [], []])

    def test_a_deleted_group_has_no_members_even_if_their_events_come_late_or_never(self) -> None:
        self.delete_group()
        created, group, member, deleted = self.tenant.events
        self.check([created, group, member, deleted], memberships=[])
        self.check([created, group, deleted, member], memberships=[])

    def test_a_gap_asks_for_the_user_and_a_resync_of_the_user_answers(self) -> None:
        for state in ("suspended", "provisioned"):
            user = self.tenant.users[self.user]
            user.state, user.version, self.tenant.clock = (
                state,
                user.version + 1,
                self.tenant.clock + 5,
            )
            self.tenant.tell_user("user.updated", self.user, user.version - 1)
        del self.tenant.events[-2]
        self.check(self.tenant.events, wanted=[f"User/{self.user}"])
        self.tenant.clock += 5
        self.tenant.resync(users=[self.user])
        self.check(self.tenant.events)

    def test_a_gap_in_a_group_asks_for_the_group(self) -> None:
        self.tenant.groups["g"] = ("People", 3)
        self.tenant.tell_group("group.updated", "g", 2)
        self.check(self.tenant.events, wanted=["Group/g"])

    def test_an_unreadable_record_asks_for_all(self) -> None:
        self.check(
            spoil(random.Random(1), self.tenant.events[:1], lose=0, poison=1),
            wanted=["all"],
            users=[],
            groups=[],
            memberships=[],
        )

    def test_what_was_unreadable_after_the_start_of_a_resync_is_asked_for_again(self) -> None:
        self.tenant.resync()
        self.tenant.clock += 5
        user = self.tenant.users[self.user]
        before = self.tenant.truth()["users"]
        user.state, user.version = "suspended", 2
        self.tenant.tell_user("user.suspended", self.user, 1)
        *events, change = self.tenant.events
        poisoned = spoil(random.Random(1), [change], lose=0, poison=1)
        self.check(events[:-1] + poisoned + events[-1:], wanted=["all"], users=before)

    def test_a_resync_drops_what_it_does_not_show(self) -> None:
        other = self.add_user()
        known = list(self.tenant.events)
        self.remove_user(other)  # this is lost, as are the next two
        self.tenant.part([("g", self.user)])
        self.delete_group()
        self.tenant.events = []
        self.tenant.resync()
        self.check(known + self.tenant.events)

    def test_a_resync_within_one_second_drops_nothing_that_it_shows(self) -> None:
        begin = self.tenant.clock
        self.tenant.resync()
        for event in self.tenant.events:
            event["time"] = self.tenant.events[0]["time"]
        self.assertEqual(begin + 2, self.tenant.clock)
        self.check(self.tenant.events)

    def test_a_resync_of_one_user_drops_that_user_and_nobody_else(self) -> None:
        other = self.add_user()
        known = list(self.tenant.events)
        self.remove_user(self.user)
        self.tenant.members.clear()
        self.tenant.events = []
        self.tenant.resync(users=[self.user])
        self.assertIn(other, self.tenant.users)
        self.check(known + self.tenant.events)

    def test_an_event_from_before_a_resync_brings_nobody_back(self) -> None:
        other = self.add_user()
        late = self.tenant.events.pop()
        self.remove_user(other)
        self.tenant.events.pop()
        self.tenant.resync()
        self.check([*self.tenant.events, {}, late])

    def test_a_resync_that_lost_a_snapshot_drops_nobody_and_is_asked_for_again(self) -> None:
        known = list(self.tenant.events)
        self.tenant.events = []
        self.tenant.resync()
        snapshots = [event for event in self.tenant.events if event["type"].endswith("snapshot")]
        for lost in [*snapshots, self.tenant.events[0], self.tenant.events[-1]]:
            rest = [event for event in self.tenant.events if event is not lost]
            self.check(known + rest, wanted=["all"])
            late = rest + [{}, {}, lost]
            self.check(known + late)

    def test_a_repeated_end_of_a_resync_drops_nobody(self) -> None:
        self.tenant.resync()
        self.check([*self.tenant.events, {}, *self.tenant.events, {}, *self.tenant.events])

    def test_a_resync_since_drops_lost_members_of_the_groups_that_it_shows(self) -> None:
        other = self.add_user()
        self.tenant.members |= {("g", other), ("still", self.user)}
        self.tenant.groups["still"] = ("Still", 1)
        self.tenant.tell_group("group.created", "still", None)
        for pair in (("g", other), ("still", self.user)):
            self.tenant.tell_member("added", pair)
        known, quiet = list(self.tenant.events), self.tenant.clock + 5
        for lost in ([("g", self.user)], [("g", other)], []):
            self.tenant.clock = max(self.tenant.clock, quiet)
            self.tenant.part(lost)
            if not lost:
                self.rename_group("People")
            self.tenant.events = []
            self.tenant.resync(since=quiet)
            shown = [event["subject"].get("group") for event in self.tenant.events]
            self.assertNotIn("still", shown)
            self.check(known + self.tenant.events)

    def test_a_resync_since_drops_no_user_no_group_and_no_member_of_a_group_that_it_does_not_show(
        self,
    ) -> None:
        known = list(self.tenant.events)
        for since in (self.tenant.clock + 1, self.tenant.clock):
            self.tenant.events = []
            self.tenant.resync(since=since)
            self.check(known + self.tenant.events)

    def test_a_member_who_joined_after_the_start_of_a_resync_since_stays(self) -> None:
        other = self.add_user()
        known, begin = list(self.tenant.events), self.tenant.clock
        self.tenant.events = []
        self.tenant.resync(since=begin)
        self.tenant.members.add(("g", other))
        self.tenant.tell_member("added", ("g", other))
        *resync, joined = self.tenant.events
        self.check([*known, joined, *resync])

    def interrupted(self) -> list[list[Event]]:
        """What the consumer hears of resyncs that are interrupted here and there."""
        known = list(self.tenant.events)
        lives = []
        for shown in (0, 0.4, 0.7, 0.99):
            self.tenant.events = []
            self.tenant.resync(shown=shown)
            lives.append(known + self.tenant.events)
        return lives

    def test_an_interrupted_resync_is_given_up_and_the_next_one_answers(self) -> None:
        other = self.add_user()
        lives, before = self.interrupted(), self.tenant.truth()["users"]
        self.remove_user(other)  # this is lost
        for life in lives:
            life.append({"pass": 301})
            self.check(life, wanted=["all"], asked=["", ""], users=before)
            self.tenant.events, self.tenant.clock = [], self.tenant.clock + 301
            self.tenant.resync()
            self.check(life + self.tenant.events)
            self.check([*life, *self.tenant.events, {"pass": 301}, {"pass": 301}])

    def test_an_interrupted_resync_that_another_one_followed_is_not_asked_for_again(self) -> None:
        other = self.add_user()
        lives = self.interrupted()
        self.remove_user(other)  # this is lost
        for life in lives:
            self.tenant.events, self.tenant.clock = [], self.tenant.clock + 1
            self.tenant.resync()
            self.check([*life, *self.tenant.events, {}, {"pass": 301}], asked=[])
            mixed = [*life[:-1], *self.tenant.events, life[-1]]
            self.check([*mixed, {"pass": 301}], asked=[])

    def test_a_resync_that_continues_within_five_minutes_is_complete(self) -> None:
        other = self.add_user()
        self.tenant.clock += 5
        known, begin = list(self.tenant.events), self.tenant.truth()["users"]
        self.remove_user(other)  # this is lost
        for shown in (0, 0.4, 0.7, 0.99):
            self.tenant.events = []
            self.tenant.resync(shown=shown, pause=240)
            self.check(known + self.tenant.events, asked=[])
            self.tenant.events = []
            self.tenant.resync(shown=shown, pause=301)
            self.check(known + self.tenant.events, wanted=["all"], users=begin)

    def test_more_than_ten_subjects_of_a_tenant_are_asked_for_as_a_whole(self) -> None:
        ids = sorted(self.add_user() for _ in range(11))
        known, self.tenant.events = list(self.tenant.events), []
        for id in ids:
            self.tenant.users[id].version += 2
            self.tenant.tell_user("user.updated", id, self.tenant.users[id].version - 1)
        gaps = [f"User/{id}" for id in ids]
        some = known + self.tenant.events[:10]
        self.check(some, wanted=sorted(gaps[:10]), users=unittest.mock.ANY)
        self.check(known + self.tenant.events, wanted=[*sorted(gaps), "all"], asked=[""])
        known += self.tenant.events
        self.tenant.events, self.tenant.clock = [], self.tenant.clock + 1
        self.tenant.resync()
        self.check([*known, {}, *self.tenant.events], asked=[""])

    def test_the_subjects_of_a_tenant_are_asked_for_in_one_command(self) -> None:
        self.tenant.users[self.user].version += 2
        self.tenant.tell_user("user.updated", self.user, 2)
        self.rename_group("People")
        self.rename_group("Persons")
        del self.tenant.events[-2]
        wanted = ["Group/g", f"User/{self.user}"]
        options = f"--user {self.user} --group g"
        self.check(self.tenant.events, wanted, asked=[options])

    def test_a_restore_from_a_backup_wins_by_its_epoch(self) -> None:
        self.delete_group()
        known = list(self.tenant.events)
        self.tenant.groups["g"], self.tenant.events = ("Staff", 1), []
        self.tenant.tell_group("group.snapshot", "g", None, resync="r")
        self.tenant.events[0] |= {"epoch": 1, "seq": f"{0:040}"}
        self.check(known + self.tenant.events, wanted=["all"])  # the resync never ends

    def test_purged_users_leave_nothing_but_their_id(self) -> None:
        self.remove_user(self.user)
        self.tenant.members.clear()
        self.tenant.part([("g", self.user)])
        self.check(self.tenant.events)

    def test_unknown_types_and_later_forms_are_ignored(self) -> None:
        known = list(self.tenant.events)
        user = known[0]
        later = [
            {**user, "seq": f"{10**39:040}", "state": "absent", "type": "user.promoted"},
            {**user, "seq": f"{10**39:040}", "state": "absent", "spec": 2},
            {**user, "type": "connection.disabled"},
        ]
        self.check(known + later)


if __name__ == "__main__":
    unittest.main()
