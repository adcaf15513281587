"""Random lives of a tenant's users and groups, as the events that tell of them and as the truth.

The events have what the consumers read. Sequence numbers of two rows say nothing about each other,
as in DynamoDB, and a resync is raced with changes.
"""

from __future__ import annotations

import dataclasses
import json
import random
import sys
import time
import typing

Event = dict[str, typing.Any]
EPOCH = 1_800_000_000


@dataclasses.dataclass
class User:
    name: str
    email: str
    state: str
    version: int = 1


class Tenant:
    """One tenant. What happened to it is in `events`, in the order in which it happened."""

    def __init__(self, seed: int, body: str = "full") -> None:
        self.dice = random.Random(seed)
        self.code, self.name, self.full = f"t{seed:07}", f"tenant-{seed}", body == "full"
        self.users: dict[str, User] = {}
        self.groups: dict[str, tuple[str, int]] = {}
        self.members: set[tuple[str, str]] = set()
        self.events: list[Event] = []
        self.clock, self.count, self.offsets = EPOCH, 0, dict[str, int]()
        self.changed = dict[str, int]()  # when a user, or a group or its members, changed last

    def emit(self, kind: str, subject: Event, **more: typing.Any) -> None:
        self.count += 1
        row = f"{subject['type']}/{subject['id']}"
        offset = self.offsets.setdefault(row, self.dice.randrange(10**20))
        tenant = {"code": self.code, "customer": None}
        tenant |= {"name": self.name} if self.full else {}
        event = {
            "id": f"{self.code}-{self.count}",
            "type": kind,
            "spec": 1,
            "time": rfc3339(self.clock),
            "seq": f"{offset + self.count:040}",
            "epoch": 0,
            "tenant": tenant,
            "subject": subject,
            "version": None,
            "previousVersion": None,
            "changed": [],
            **more,
        }
        if not self.full:
            event["subject"] = {key: value for key, value in subject.items() if key not in NAMES}
        if not self.full and kind.startswith(("user.", "group.")):
            event.pop("data", None)
        if "resync" not in more:
            self.changed[str(subject.get("group") or subject["id"])] = self.clock
        self.events.append(event)

    def tell_user(self, kind: str, id: str, previous: int | None, **more: typing.Any) -> None:
        user = self.users[id]
        data = {
            "id": id,
            "userName": user.name,
            "emails": [{"value": "x@x"}, {"value": user.email, "primary": True}],
        }
        if user.state != "deleted":  # of someone who is gone there is no data
            more["data"] = data
        subject = {"type": "User", "id": id, "userName": user.name}
        self.emit(
            kind,
            subject,
            version=user.version,
            previousVersion=previous,
            state=user.state,
            **more,
        )

    def tell_group(self, kind: str, id: str, previous: int | None, **more: typing.Any) -> None:
        name, version = self.groups[id]
        subject = {"type": "Group", "id": id, "displayName": name}
        self.emit(
            kind,
            subject,
            version=version,
            previousVersion=previous,
            data={"displayName": name},
            **more,
        )

    def tell_member(self, kind: str, pair: tuple[str, str], **more: typing.Any) -> None:
        group, member = pair
        subject = {"type": "Member", "id": f"{group}/k-{member}", "group": group, "member": member}
        self.emit(f"group.member_{kind}", {**subject, "memberType": "User"}, **more)

    def happen(self) -> None:
        """Something happens to somebody."""
        self.clock += self.dice.choice([0, 0, 1, 3])
        self.dice.choice(
            [
                self.create,
                self.change,
                self.change,
                self.leave,
                self.change_group,
                self.join,
                self.join,
            ]
        )()

    def create(self) -> None:
        id, state = f"u-{self.count}", self.dice.choice(
            ["provisioned", "provisioned", "suspended", "unmanaged"]
        )
        self.users[id] = User(f"name-{id}", f"{id}@example.com", state)
        self.tell_user("user.imported" if state == "unmanaged" else "user.provisioned", id, None)

    def pick(self, *states: str) -> str | None:
        ids = [id for id, user in self.users.items() if not states or user.state in states]
        return self.dice.choice(ids) if ids else None

    def change(self) -> None:
        moves = {
            "suspended": ("user.reactivated", "provisioned"),
            "deleted": ("user.restored", "provisioned"),
            "unmanaged": ("user.linked", "provisioned"),
            "provisioned": ("user.suspended", "suspended"),
        }
        if not (id := self.pick()):
            return
        user = self.users[id]
        kind, state = moves[user.state]
        if user.state == "provisioned" and self.dice.random() < 0.5:
            kind, state = "user.renamed", user.state
            user.name = f"name-{self.count}"
        user.state, user.version = state, user.version + 1
        self.tell_user(kind, id, user.version - 1)

    def leave(self) -> None:
        if not (id := self.pick()):
            return
        user = self.users[id]
        subject = {"type": "User", "id": id}
        if user.state in ("provisioned", "suspended") and self.dice.random() < 0.7:
            user.state, user.version = "deleted", user.version + 1
            self.tell_user("user.deleted", id, user.version - 1, mode="soft")
        else:
            kind = {"deleted": "user.purged", "unmanaged": "user.released"}.get(
                user.state, "user.deleted"
            )
            self.emit(kind, subject, previousVersion=self.users.pop(id).version, state="absent")
        self.part([pair for pair in self.members if pair[1] == id])

    def part(self, pairs: list[tuple[str, str]]) -> None:
        for pair in sorted(pairs):
            self.members.discard(pair)
            self.tell_member("removed", pair)

    def change_group(self) -> None:
        chance = self.dice.random()
        if chance < 0.4 or not self.groups:
            id = f"g-{self.count}"
            self.groups[id] = (f"group {id}", 1)
            return self.tell_group("group.created", id, None)
        id = self.dice.choice(sorted(self.groups))
        name, version = self.groups[id]
        if chance < 0.7:
            self.groups[id] = (f"group {self.count}", version + 1)
            return self.tell_group("group.updated", id, version)
        del self.groups[id]
        subject = {"type": "Group", "id": id, "displayName": name}
        self.emit("group.deleted", subject, previousVersion=version)
        self.part([pair for pair in self.members if pair[0] == id])

    def join(self) -> None:
        id = self.pick("provisioned", "suspended")
        if not id or not self.groups:
            return
        pair = (self.dice.choice(sorted(self.groups)), id)
        if pair in self.members:
            return self.part([pair])
        self.members.add(pair)
        self.tell_member("added", pair)

    def resync(
        self,
        changes: int = 0,
        users: list[str] | None = None,
        since: int | None = None,
        shown: float = 1,
        pause: int = 0,
    ) -> None:
        """A resync of everything, of these users, or of what changed since a time, that is raced
        with changes. It pauses where a part of it is shown; without a pause it never continues.
        """
        id = f"{self.code}-r{self.count}"
        scope: Event = {"kind": "users", "ids": users} if users else {"kind": "all"}
        if since is not None:
            scope = {"kind": "since", "time": rfc3339(since)}
        subject, more = {"type": "Resync", "id": id}, {"resync": id, "scope": scope}
        counts = {"users": 0, "groups": 0, "members": 0, "resources": 0}
        self.emit("resync.started", subject, **more)
        self.clock += 2
        rows: list[tuple[str, typing.Any]] = [("users", one) for one in users or self.users]
        rows += [] if users else [("groups", one) for one in self.groups]
        rows += [("members", one) for one in self.members if not users or one[1] in users]
        rows = [one for one in rows if since is None or self.is_changed(one, since)]
        interrupted = int(shown * len(rows)) if shown < 1 else None
        for index, (kind, row) in enumerate([*rows, ("end", None)]):
            if index == interrupted:
                if not pause:
                    return
                self.clock += pause
                self.events.append({"pass": pause})
            if changes and self.dice.random() < 0.2:
                self.happen()
            if kind == "users" and row in self.users:
                self.tell_user("user.snapshot", row, None, resync=id)
            elif kind == "groups" and row in self.groups:
                self.tell_group("group.snapshot", row, None, resync=id)
            elif kind == "members" and row in self.members:
                self.tell_member("snapshot", row, resync=id)
            else:
                continue
            counts[kind] += 1
        self.emit("resync.finished", subject, **more, data={"counts": counts})

    def is_changed(self, row: tuple[str, typing.Any], since: int) -> bool:
        """Of a membership, whether its group or a member of the group changed."""
        kind, id = row
        return self.changed[id[0] if kind == "members" else id] >= since

    def truth(self) -> dict[str, list[Event]]:
        """The tables as the product should have them; without names if only ids are sent."""
        users = [
            {
                "tenant": self.code,
                "id": id,
                "userName": user.name if self.full else None,
                "active": user.state in ("provisioned", "unmanaged"),
                "state": user.state,
                "version": user.version,
            }
            for id, user in sorted(self.users.items())
        ]
        groups = [
            {
                "tenant": self.code,
                "id": id,
                "displayName": name if self.full else None,
                "version": version,
            }
            for id, (name, version) in sorted(self.groups.items())
        ]
        members = [
            {"tenant": self.code, "group": group, "member": member}
            for group, member in sorted(self.members)
        ]
        return {"users": users, "memberships": members, "groups": groups}


NAMES = ("userName", "displayName", "externalId")


def rfc3339(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def spoil(
    dice: random.Random, events: list[Event], lose: float = 0.01, poison: float = 0.01
) -> list[Event]:
    """Some events are lost, some cannot be read, and some come twice."""
    spoilt = []
    for event in events:
        chance = dice.random()
        if chance < lose:
            continue
        if chance < lose + poison:
            common = {key: event[key] for key in ("id", "spec", "time", "seq", "epoch", "tenant")}
            event = {
                **common,
                "type": "record.unshaped",
                "subject": {"type": "Record", "id": "p/s"},
                "version": None,
                "previousVersion": None,
                "changed": [],
            }
        spoilt += [event, event] if dice.random() < 0.05 else [event]
    return spoilt


def shuffle(dice: random.Random, events: list[Event], delay: int = 40) -> list[Event]:
    """Every event comes up to `delay` places late, and a few come far too late."""
    late = [
        index + dice.uniform(0, delay if dice.random() < 0.98 else 10 * delay)
        for index in range(len(events))
    ]
    return [event for _, _, event in sorted(zip(late, range(len(events)), events))]


if __name__ == "__main__":
    # For consumers that are not run as a command: a spoilt life, a resync, and the truth, as JSON.
    life = Tenant(int(sys.argv[1]))
    for _ in range(150):
        life.happen()
    chance = random.Random(life.code)
    spoilt_life, life.events = spoil(chance, life.events), []
    life.resync(changes=1)
    print(json.dumps({"events": shuffle(chance, spoilt_life + life.events), "truth": life.truth()}))
