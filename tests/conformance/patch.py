"""patch.py PROFILE: PATCH cases, tests/vectors/patch.json, whose first member tells what they mean.

A strict tenant is judged by the RFC (must, should). A default tenant is judged by what real clients
need as well (interop), and by how often it gives the one of several right outcomes that they prefer.
"""

from __future__ import annotations

import json
import sys
import uuid
from collections import Counter
from typing import Any

from scim import USER, VECTORS, Client, Figures, Tenant, fill, finish, json_of, load

# What the RFC refuses and the default profile understands; the same list as in tests/it/vectors.rs.
TOLERATED = ("p179", "p214", "p238")
LEVELS = {"strict": ("must", "should"), "default": ("must", "should", "interop")}
SERVER_MADE = ("id", "meta", "schemas", "groups", "password")


def ignored(parent: str, name: str, value: Any) -> bool:
    """What the server may add or omit as it likes, so no case expects it."""
    return (
        (parent == "" and name in SERVER_MADE)
        or (parent == "members" and name != "value")
        or (parent == "manager" and name in ("$ref", "displayname"))
        or (name == "primary" and value is False)
    )


def client_view(value: Any, parent: str = "") -> Any:
    """The client's part of a resource, so that two of them can be compared: without what is
    `ignored` or has no value, names in lower case, arrays in one order."""
    if isinstance(value, list):
        items = [client_view(item, parent) for item in value if item is not None]
        return sorted(items, key=lambda item: json.dumps(item, sort_keys=True))
    if not isinstance(value, dict):
        return value
    kept = {}
    for name, member in value.items():
        if not ignored(parent, name.lower(), member):
            kept[name.lower()] = client_view(member, name.lower())
    return {name: member for name, member in kept.items() if member not in (None, [], {})}


def differences(want: dict[str, Any], got: dict[str, Any]) -> str:
    names = [name for name in sorted({*want, *got}) if want.get(name) != got.get(name)]
    return "; ".join(f"{name}: want {want.get(name)} got {got.get(name)}" for name in names)


class Refused(Exception):
    """A resource that a case starts from could not be made."""


def create(client: Client, kind: str, resource: Any) -> dict[str, Any]:
    response = client.send("POST", f"/{kind}", resource)
    made = json_of(response)
    if response.status_code != 201 or "id" not in (made or {}):
        raise Refused(f"POST /{kind}: {response.status_code} {response.text[:200]}")
    return made


def helpers(client: Client) -> dict[str, str]:
    """The users A, B and C that cases point at."""
    words: dict[str, str] = {}
    for name in "ABC":
        user_name = f"helper-{name.lower()}@example.com"
        user = {"schemas": [USER], "userName": user_name, "externalId": f"h-{name}", "active": True}
        words[name] = create(client, "Users", user)["id"]
        words |= {f"{name}.userName": user_name, f"{name}.USERNAME": user_name.upper()}
    return words


class Case:
    """One case played: what was there, what PATCH answered, what is there now."""

    def __init__(self, client: Client, case: dict[str, Any], words: dict[str, str]) -> None:
        self.case, path = case, f"/{case['resource']}"
        words = {**words, "tag": case["id"]}
        made = create(client, case["resource"], fill(case["initial"], words))
        self.before = client_view(made)
        self.words = {**words, "self": made["id"]}
        target = f"nope-{uuid.uuid4().hex}" if case.get("target") == "unknown" else made["id"]
        body = case["body"] if case.get("raw") else fill(case["body"], self.words)
        response = client.send("PATCH", f"{path}/{target}", body)
        self.status, self.answer = response.status_code, json_of(response)
        self.stored = json_of(client.send("GET", f"{path}/{made['id']}")) or {}

    def meets(self, option: dict[str, Any]) -> bool:
        if "status" in option:
            scim_type = (self.answer or {}).get("scimType")
            return self.status == option["status"] and (
                "scimType" not in option or scim_type in option["scimType"]
            )
        return self.status in (200, 204) and client_view(self.stored) == self.wanted(option)

    def wanted(self, option: dict[str, Any]) -> Any:
        return client_view(fill(option["after"], self.words))

    def options(self) -> list[dict[str, Any]]:
        return self.case["expect"].get("any_of", [self.case["expect"]])

    def outcome(self) -> int | None:
        """The index of the right outcome that came about."""
        return next((index for index, option in enumerate(self.options()) if self.meets(option)), None)

    def fault(self) -> str | None:
        """Why the case failed; None when it passed."""
        if 400 <= self.status < 500 and client_view(self.stored) != self.before:
            return f"{self.status}, but the resource has changed"
        if self.status == 200 and client_view(self.answer) != client_view(self.stored):
            changes = differences(client_view(self.stored), client_view(self.answer))
            return f"the answer is not what is stored: {changes}"
        for name in self.case.get("never", []):
            if name in (self.answer or {}) or name in self.stored:
                return f"{name} is returned"
        if self.case.get("schemas_has", USER) not in [USER, *self.stored.get("schemas", [])]:
            return f"schemas lacks {self.case['schemas_has']}"
        if self.outcome() is None:
            changes = [differences(self.wanted(o), client_view(self.stored)) for o in self.options() if "after" in o]
            scim_type = (self.answer or {}).get("scimType") or ""
            return f"got {self.status} {scim_type} {' or '.join(changes)}"
        return None


def main(profile: str) -> None:
    client = Client(Tenant.create(f"patch-{profile}", profile))
    levels = LEVELS[profile]
    figures = Figures("patch", profile, "every " + ", ".join(levels))
    preferred = Figures("patch, preferred outcome", profile)
    if profile == "default":
        figures.goal += f" but {len(TOLERATED)} tolerated"
    counts: Counter[str] = Counter()
    words = helpers(client)
    for case in load(VECTORS / "patch.json")["cases"]:
        name = f"{case['id']} {case['level']} {case['resource']} {case['what']}"
        try:
            played = Case(client, case, words)
            fault, outcome = played.fault(), played.outcome()
        except Refused as refused:
            fault, outcome = str(refused), None
        good = fault is None
        counts[f"{case['level']} {'passed' if good else 'failed'}"] += 1
        if case["level"] in levels and not (profile == "default" and case["id"] in TOLERATED):
            figures.check(good, name, fault)
        elif not good:
            print(f"note {name}: {fault}")
        if "prefer" in (expect := case["expect"]) and profile == "default":
            wanted = expect["any_of"][expect["prefer"]]
            preferred.check(outcome == expect["prefer"], f"{name}: preferred", f"outcome {outcome}, not {wanted}")
    print(", ".join(f"{key} {counts[key]}" for key in sorted(counts)))
    finish(figures, *([preferred] if profile == "default" else []))


if __name__ == "__main__":
    main(*sys.argv[1:])
