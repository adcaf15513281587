"""What schemathesis loads: a check that errors are SCIM errors and a count of all calls (the file
FUZZ_TALLY). Half of the calls are also given an id that exists and a name that is free: random ones
are mostly answered 404 and 409, before anyone looks at the rest of the request.
"""

from __future__ import annotations

import atexit
import json
import os
import re
from collections import Counter
from typing import Any

import schemathesis

ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
NAMES = {"Users": "userName", "Groups": "displayName"}
SHOWN = 100  # faults written out; all are counted

statuses: Counter[int] = Counter()
faults: list[str] = []
bad = 0
ids: dict[str, list[str]] = {"Users": [], "Groups": []}


def fault_of(response: schemathesis.Response) -> str | None:
    """Why an answer is not one that SCIM allows; None when it is."""
    status = response.status_code
    if status < 400:
        return None
    if status >= 500:
        return f"status {status}"
    media_type = (response.headers.get("content-type") or ["none"])[0].split(";")[0]
    if media_type != "application/scim+json":
        return f"content type {media_type}"
    if response.request.method == "HEAD":
        return None
    try:
        error = json.loads(response.content)
    except ValueError:
        return "no JSON"
    if not isinstance(error, dict) or error.get("schemas") != [ERROR]:
        return "schemas is not Error's URN"
    if error.get("status") != str(status):
        return f"status {error.get('status')!r} in the body of a {status}"
    if not is_sentence(error.get("detail")):
        return f"detail is no sentence: {error.get('detail')!r}"
    return None


def is_sentence(detail: Any) -> bool:
    """At least two words and a full stop, for a person reads it in an identity provider's log."""
    return isinstance(detail, str) and re.fullmatch(r"\S+\s.*[.?!]", detail, re.DOTALL) is not None


def kind_of(case: schemathesis.Case) -> str:
    return case.operation.path.split("/")[1]


@schemathesis.check
def scim_error(ctx: Any, response: schemathesis.Response, case: schemathesis.Case) -> None:
    if response.status_code < 500 and (fault := fault_of(response)):
        raise AssertionError(fault)


@schemathesis.hook
def before_call(context: Any, case: schemathesis.Case, kwargs: dict[str, Any]) -> None:
    number, known = sum(statuses.values()), ids.get(kind_of(case), [])
    if number % 2:
        return
    if known and "id" in (case.path_parameters or {}):
        case.path_parameters["id"] = known[-1]
    if isinstance(case.body, dict) and (name := NAMES.get(kind_of(case))) in case.body:
        if isinstance(case.body[name], str):
            case.body = {**case.body, name: f"{case.body[name][:50]}{number}"}


@schemathesis.hook
def after_call(context: Any, case: schemathesis.Case, response: schemathesis.Response) -> None:
    global bad
    statuses[response.status_code] += 1
    remember(case, response)
    if fault := fault_of(response):
        bad += 1
        body = (response.request.body or b"")[:300]
        if len(faults) < SHOWN:
            faults.append(f"{response.request.method} {response.request.url} {body!r}: {fault}")


def remember(case: schemathesis.Case, response: schemathesis.Response) -> None:
    """Keeps the ids that exist."""
    known = ids.get(kind_of(case))
    if known is None:
        return
    if response.status_code == 201:
        known.append(json.loads(response.content)["id"])
    elif response.status_code == 204 and response.request.method == "DELETE":
        gone = (response.request.url or "").split("?")[0].rsplit("/", 1)[-1]
        known[:] = [one for one in known if one != gone]


@atexit.register
def write_tally() -> None:
    tally = {
        "calls": sum(statuses.values()),
        "bad": bad,
        "statuses": dict(sorted(statuses.items())),
        "faults": faults,
    }
    with open(os.environ["FUZZ_TALLY"], "w", encoding="utf-8") as file:
        json.dump(tally, file)
