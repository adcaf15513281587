"""collection.py NAME: plays data/NAME.json, requests in order and what to expect of each answer.

An expectation marked `false_alarm` contradicts the RFC or asks for one of several right answers (the
mark says which); it is counted apart and decides nothing. So are those of optional steps.
"""

from __future__ import annotations

import json
import re
import sys
import uuid
from collections.abc import Callable
from typing import Any

import requests

from scim import DATA, USER, Client, Figures, Tenant, fill, finish, json_of, load

MISSING = object()


def look_up(document: Any, path: str) -> Any:
    """`Resources[0].name.familyName`; a name with dots stands in double quotes; `length` counts."""
    for part in re.findall(r'"[^"]+"|[^.\[\]"]+|\[\d+\]', path):
        if part == "length" and isinstance(document, (list, str)):
            document = len(document)
        elif part.startswith("["):
            index = int(part[1:-1])
            known = isinstance(document, list) and index < len(document)
            document = document[index] if known else MISSING
        else:
            document = document.get(part.strip('"'), MISSING) if isinstance(document, dict) else MISSING
    return document


def text(value: Any) -> str:
    """As a collection writes values: everything is text there."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def equal(got: Any, want: Any) -> bool:
    return got is not MISSING and (got == want or text(got) == text(want))


def is_number(got: Any) -> bool:
    return isinstance(got, (int, float)) and not isinstance(got, bool)


def has_like(got: Any, want: dict[str, Any]) -> bool:
    """The list has an element with all these members."""
    elements = got if isinstance(got, list) else []
    return any(
        isinstance(element, dict) and all(equal(element.get(k, MISSING), v) for k, v in want.items())
        for element in elements
    )


EMPTY = (MISSING, None, "", [], {})
COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "equal": equal,
    "status_in": lambda got, want: got in want,
    "not_empty": lambda got, _: got not in EMPTY,
    "absent": lambda got, _: got in EMPTY,
    "is_a_number": lambda got, _: is_number(got),
    "is_less_than": lambda got, want: is_number(got) and got < want,
    "length": lambda got, want: isinstance(got, list) and len(got) == int(want),
    "has_value": lambda got, want: isinstance(got, list) and want in got,
    "contains": lambda got, want: got is not MISSING and want in text(got),
    "not_contains": lambda got, want: got is MISSING or want not in text(got),
    "any_where": has_like,
    "none_where": lambda got, want: got in EMPTY or (isinstance(got, list) and not has_like(got, want)),
}


def subject(expectation: dict[str, Any], response: requests.Response, document: Any) -> Any:
    """The part of the answer that an expectation is about."""
    match expectation["src"]:
        case "status":
            return response.status_code
        case "text":
            return response.text
        case "time":
            return response.elapsed.total_seconds() * 1000
        case _:
            return look_up(document, expectation.get("prop", ""))


def first_words(token: str) -> dict[str, Any]:
    """What the collections expect their surroundings to define."""
    tag = uuid.uuid4().hex[:8]
    return {
        "auth": f"Bearer {token}",
        "tag": tag,
        "uuid": str(uuid.uuid4()),
        "randomUsername": f"Runscope300{tag}@atko.com",
        "randomUsernameCaps": f"RUNSCOPE300{tag}@ATKO.COM".upper(),
        "randomEmail": f"Runscope300{tag}@atko.com",
        "randomGivenName": f"Runscope300{tag[:4]}",
        "randomFamilyName": f"Test{tag[4:]}",
        "InvalidUserEmail": f"abcdefgh-{tag}@atko.com",
        "UserIdThatDoesNotExist": f"010101001010101011001010101011-{tag}",
    }


def seed(client: Client) -> None:
    """Okta's test reads a user that exists, with a name and an address."""
    user = {
        "schemas": [USER],
        "userName": "seed@example.com",
        "externalId": "seed",
        "name": {"givenName": "Seed", "familyName": "User", "formatted": "Seed User"},
        "displayName": "Seed User",
        "emails": [{"value": "seed@example.com", "type": "work", "primary": True}],
        "active": True,
    }
    client.send("POST", "/Users", user).raise_for_status()


class Play:
    """One run through a collection: the words captured so far, and the figures."""

    def __init__(self, client: Client, words: dict[str, Any], figures: Figures) -> None:
        self.client, self.words, self.figures = client, words, figures
        self.apart = {"optional": [0, 0], "false_alarm": [0, 0]}

    def step(self, step: dict[str, Any]) -> None:
        path, headers = fill(step["path"], self.words), fill(step.get("headers") or {}, self.words)
        body = fill(step.get("body_raw", step.get("body")), self.words)
        response = self.client.send(step["method"], path, body, headers)
        document = MISSING if (parsed := json_of(response)) is None else parsed
        for expectation in step["expect"]:
            self.expect(step, expectation, response, document)
        for name, where in step.get("capture", {}).items():
            if (value := look_up(document, where)) is not MISSING:
                self.words[name] = value

    def expect(
        self, step: dict[str, Any], expectation: dict[str, Any], response: requests.Response, document: Any
    ) -> None:
        expectation = fill(expectation, self.words)
        got = subject(expectation, response, document)
        good = COMPARISONS[expectation["cmp"]](got, expectation.get("value"))
        for mark in ("false_alarm", "optional"):
            if expectation.get(mark) or step.get(mark):
                self.apart[mark][0] += good
                self.apart[mark][1] += 1
                return
        wanted = " ".join(str(expectation.get(part, "")) for part in ("src", "prop", "cmp", "value"))
        found = "nothing" if got is MISSING else text(got)[:200]
        request = f"{step['method']} {fill(step['path'], self.words)}"
        self.figures.check(good, f"{step['name']} [{request}]", f"{wanted}, got {found} (HTTP {response.status_code})")


def main(name: str) -> None:
    collection = load(DATA / f"{name}.json")
    tenant = Tenant.create(name, "default")
    client, figures = Client(tenant), Figures(name, "default")
    if collection.get("needs_seed"):
        seed(client)
    play = Play(client, first_words(tenant.token), figures)
    for step in collection["steps"]:
        play.step(step)
    for mark, (good, of) in play.apart.items():
        print(f"{mark}: {good} of {of} met")
    if alarms := play.apart["false_alarm"][1]:
        figures.goal = f"all but {alarms} false alarms"
    finish(figures)


if __name__ == "__main__":
    main(*sys.argv[1:])
