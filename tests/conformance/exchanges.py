"""Ordered exchanges of twelve clients, data/exchanges.json; a fresh tenant for each scenario.

A request goes out byte for byte as its client sends it, so not through a library that would tidy the
query. The answer must contain `body_contains`: each element of an expected array matches some actual
one, "<any>" is any value but null, types are equal. `body_absent` names what must have no value.
"""

from __future__ import annotations

import http.client
import json
import re
import time
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from scim import DATA, Figures, Tenant, fill, finish, load


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes
    document: Any
    milliseconds: float


def send(tenant: Tenant, request: dict[str, Any]) -> Answer:
    base = urlsplit(tenant.base_url)
    target = base.path + request["path"] + ("?" + request["query"] if "query" in request else "")
    body = json.dumps(request["body"], ensure_ascii=False).encode() if "body" in request else None
    headers = {"Authorization": f"Bearer {tenant.token}", **request.get("headers", {})}
    connection = http.client.HTTPConnection(base.hostname or "", base.port, timeout=30)
    start = time.monotonic()
    try:
        connection.putrequest(request["method"], target, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        response = connection.getresponse()
        content = response.read()
    finally:
        connection.close()
    milliseconds = (time.monotonic() - start) * 1000
    found = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, found, content, parse(content), milliseconds)


def parse(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return None


def at(document: Any, pointer: str) -> Any:
    """What a JSON Pointer points at; None where there is nothing."""
    for part in pointer.split("/")[1:]:
        part = part.replace("~1", "/").replace("~0", "~")
        if isinstance(document, list):
            document = document[int(part)] if part.isdigit() and int(part) < len(document) else None
        else:
            document = document.get(part) if isinstance(document, dict) else None
    return document


def contains(got: Any, want: Any) -> bool:
    if want == "<any>":
        return got is not None
    if isinstance(want, dict):
        return isinstance(got, dict) and all(k in got and contains(got[k], v) for k, v in want.items())
    if isinstance(want, list):
        if not isinstance(got, list) or not want:
            return got == want
        return all(any(contains(item, wanted) for item in got) for wanted in want)
    return type(got) is type(want) and got == want


def faults(answer: Answer, expect: dict[str, Any]) -> Iterator[str]:
    """What an answer has against it. An empty body has nothing in it that could be wrong: where it
    may not be empty, the statuses allowed say so."""
    if answer.status not in expect["status"]:
        yield f"status {answer.status}, not {expect['status']}: {answer.body.decode(errors='replace')[:200]}"
    if answer.body:
        if not contains(answer.document, expect.get("body_contains", {})):
            yield f"the body lacks {expect['body_contains']}: {answer.body.decode(errors='replace')[:300]}"
        for pointer in expect.get("body_absent", []):
            if at(answer.document, pointer) not in (None, "", [], {}):
                yield f"{pointer} has a value"
        for pointer, length in expect.get("array_len", {}).items():
            if (got := len(at(answer.document, pointer) or [])) != length:
                yield f"{pointer} has {got} elements, not {length}"
    for name, pattern in expect.get("headers_match", {}).items():
        if not re.search(pattern, answer.headers.get(name.lower(), "")):
            yield f"header {name}: {answer.headers.get(name.lower())}"
    if answer.milliseconds > expect.get("max_ms", 30_000):
        yield f"{answer.milliseconds:.0f} ms, not {expect['max_ms']}"


def capture(step: dict[str, Any], answer: Answer, words: dict[str, Any]) -> Iterator[str]:
    for name, pointer in step.get("capture", {}).items():
        if (value := at(answer.document, pointer)) is None:
            yield f"nothing to capture at {pointer}"
        else:
            words[name] = value


def main() -> None:
    figures = Figures("exchanges", "default")
    for scenario in load(DATA / "exchanges.json"):
        tenant = Tenant.create(scenario["scenario"], "default")
        words: dict[str, Any] = {"token": tenant.token}
        for step in scenario["steps"]:
            answer = send(tenant, fill(step["request"], words))
            found = [*faults(answer, fill(step["expect"], words)), *capture(step, answer, words)]
            name = f"{scenario['scenario']} {step['step']} ({step.get('why', '')})"
            figures.check(not found, name, "; ".join(found))
    finish(figures)


if __name__ == "__main__":
    main()
