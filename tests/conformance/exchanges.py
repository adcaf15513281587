"""The transcripts of identity providers, ../transcripts; a fresh tenant for each scenario.

`cargo test` plays them in the service. Here they go over HTTP, byte for byte as the client sends them,
so not through a library that would tidy the query; and what they say about time is checked.

Arguments name the transcripts to play; without any, all are played. If SCIM_URL is set, the tenants
are at that URL, where `sam local` works on the same data: its time is not checked, and raw quotes are
encoded for it, as API Gateway does (docs/decisions/0004-malformed-events.md).
"""

from __future__ import annotations

import http.client
import json
import os
import sys
import time
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from scim import Figures, Tenant, fill, finish

TRANSCRIPTS = Path(__file__).parent.parent / "transcripts"


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes
    document: Any
    milliseconds: float


def scenarios(text: str) -> list[dict[str, Any]]:
    """A transcript, as ../transcripts/README.md describes it."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    found: list[dict[str, Any]] = []
    for index, line in enumerate(lines):
        if line.startswith("  "):
            continue
        block = list(takewhile(lambda below: below.startswith("  "), lines[index + 1 :]))
        document = json.loads("\n".join(block)) if block else None
        word, _, rest = line.partition(" ")
        if word == "==":
            found.append({"title": rest, "steps": []})
        elif word == "--":
            found[-1]["steps"].append({"step": rest, "request": {"headers": {}}, "expect": {}})
        elif word not in ("profile", "dialect"):
            read_line(found[-1]["steps"][-1], word, rest, document)
    return found


def read_line(step: dict[str, Any], word: str, rest: str, document: Any) -> None:
    request, expect = step["request"], step["expect"]
    if word == "=>":
        expect["status"] = [int(status) for status in rest.split()]
        return
    if "status" not in expect:
        if word.endswith(":"):
            request["headers"][word.removesuffix(":")] = rest
        else:
            request["method"], request["target"] = word, rest
        if document is not None:
            request["body"] = document
        return
    name, _, value = rest.partition(" ")
    match word:
        case "within":
            expect["within"] = int(name)
        case "body":
            expect["body"] = document
        case "absent":
            expect.setdefault("absent", []).append(rest)
        case "length":
            expect.setdefault("length", {})[name] = int(value)
        case "header" | "capture":
            expect.setdefault(word, {})[name] = value
        case _:
            raise ValueError(f"{step['step']}: {word} is not understood")


def send(tenant: Tenant, request: dict[str, Any]) -> Answer:
    base = urlsplit(tenant.base_url)
    target = base.path + request["target"]
    if "SCIM_URL" in os.environ:
        target = target.replace('"', "%22")
    body = json.dumps(request["body"], ensure_ascii=False).encode() if "body" in request else None
    headers = {"Authorization": f"Bearer {tenant.token}", **request["headers"]}
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
    """The value at a JSON Pointer, or None."""
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
    """The reasons why an answer is wrong. An empty body satisfies everything that is said about bodies;
    the accepted statuses say where it may be empty."""
    if answer.status not in expect["status"]:
        yield f"status {answer.status}, not {expect['status']}: {answer.body.decode(errors='replace')[:200]}"
    if answer.body:
        if not contains(answer.document, expect.get("body", {})):
            yield f"the body lacks {expect['body']}: {answer.body.decode(errors='replace')[:300]}"
        for pointer in expect.get("absent", []):
            if at(answer.document, pointer) not in (None, "", [], {}):
                yield f"{pointer} has a value"
        for pointer, length in expect.get("length", {}).items():
            if (got := len(at(answer.document, pointer) or [])) != length:
                yield f"{pointer} has {got} elements, not {length}"
    for name, text in expect.get("header", {}).items():
        if text.lower() not in answer.headers.get(name.lower(), "").lower():
            yield f"header {name}: {answer.headers.get(name.lower())}"
    if "SCIM_URL" not in os.environ and answer.milliseconds > expect.get("within", 30_000):
        yield f"{answer.milliseconds:.0f} ms, not {expect['within']}"


def capture(step: dict[str, Any], answer: Answer, words: dict[str, Any]) -> Iterator[str]:
    for name, pointer in step["expect"].get("capture", {}).items():
        if (value := at(answer.document, pointer)) is None:
            yield f"nothing to capture at {pointer}"
        else:
            words[name] = value


def main() -> None:
    figures = Figures("exchanges", "default")
    names = sys.argv[1:] or [path.stem for path in TRANSCRIPTS.glob("*.txt")]
    for path in (TRANSCRIPTS / f"{name}.txt" for name in sorted(names)):
        for number, scenario in enumerate(scenarios(path.read_text(encoding="utf-8"))):
            tenant = Tenant.create(f"{path.stem}-{number}", "default")
            words: dict[str, Any] = {"token": tenant.token}
            for step in scenario["steps"]:
                answer = send(tenant, fill(step["request"], words))
                found = [*faults(answer, fill(step["expect"], words)), *capture(step, answer, words)]
                name = f"{path.stem}: {scenario['title']}: {step['step']}"
                figures.check(not found, name, "; ".join(found))
    finish(figures)


if __name__ == "__main__":
    main()
