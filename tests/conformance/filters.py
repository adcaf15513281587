"""Filters over a corpus of users and groups: tests/vectors/filters.json, whose first member tells
what a case means. Strict profile: what the RFC's grammar refuses must be refused.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from scim import VECTORS, Client, Figures, Tenant, fill, finish, json_of, load

DECIDING = ("must", "must-refuse", "should")


def two_hours_east(instant: str) -> str:
    """The same instant, written with another offset."""
    moment = datetime.fromisoformat(instant.replace("Z", "+00:00")) + timedelta(hours=2)
    return moment.replace(tzinfo=None).isoformat() + "+02:00"


class Corpus:
    """The resources that the filters are about, by the names that the cases use."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.names: dict[str, str] = {}
        self.words: dict[str, str] = {}

    def add(self, kind: str, name: str, resource: dict[str, Any], figures: Figures) -> None:
        if "members" in resource:
            ids = [self.words.get(f"id:{member}") for member in resource["members"]]
            resource = {**resource, "members": [{"value": value, "type": "User"} for value in ids]}
        response = self.client.send("POST", f"/{kind}", resource)
        made = json_of(response)
        if response.status_code != 201 or "id" not in made:
            figures.fault(f"corpus: POST of {name}: {response.status_code} {response.text[:200]}")
            return
        created = made["meta"]["created"]
        self.names[made["id"]] = name
        self.words |= {f"id:{name}": made["id"], f"created:{name}": created}
        self.words[f"created_offset:{name}"] = two_hours_east(created)

    def find(self, kind: str, text: str) -> tuple[int, str | None, set[str]]:
        """All pages of what a filter finds: status, scimType, names."""
        found: set[str] = set()
        start, total = 1, 1
        while start <= total:
            path = f"/{kind}?filter={quote(text, safe='')}&startIndex={start}&count=100"
            response = self.client.send("GET", path)
            page = json_of(response) or {}
            if response.status_code != 200:
                return response.status_code, page.get("scimType"), set()
            resources = page.get("Resources") or []
            found |= {self.names.get(resource["id"], resource["id"]) for resource in resources}
            start, total = start + len(resources), page["totalResults"] if resources else 0
        return 200, None, found


def meets(expect: dict[str, Any], status: int, scim_type: str | None, found: set[str]) -> bool:
    if "any_of" in expect:
        return any(meets(one, status, scim_type, found) for one in expect["any_of"])
    if "status" in expect:
        return status == expect["status"] and expect.get("scimType") in (None, scim_type)
    if "match_includes" in expect:
        return status == 200 and found >= set(expect["match_includes"])
    return status == 200 and found == set(expect["match"])


def main() -> None:
    vectors = load(VECTORS / "filters.json")
    figures = Figures("filters", "strict", "every must, must-refuse, should")
    corpus = Corpus(Client(Tenant.create("filters", "strict")))
    for kind, resources in vectors["corpus"].items():
        for name, resource in resources.items():
            corpus.add(kind, name, resource, figures)
    passed: Counter[str] = Counter()
    of: Counter[str] = Counter()
    for case in vectors["cases"]:
        level = case["level"] + ("-refuse" if "status" in case["expect"] else "")
        outcome = corpus.find(case["resource"], fill(case["filter"], corpus.words))
        good = meets(case["expect"], *outcome)
        passed[level] += good
        of[level] += 1
        what = f"{case['id']} {level} {case['resource']} {case['filter']}"
        if level in DECIDING:
            figures.check(good, what, f"got {outcome}, wanted {case['expect']}")
        elif not good:
            print(f"note {what}: got {outcome}, none of {case['expect']}")
    print(", ".join(f"{level} {passed[level]} of {of[level]}" for level in sorted(of)))
    finish(figures)


if __name__ == "__main__":
    main()
