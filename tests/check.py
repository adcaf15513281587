"""check.py NAME STATUS [EXPRESSION]: is the answer in $DIR what SCIM says it is?

The status "events" stands for an array of events to the product, and "watch" for what the watch counts:
either is d.

$DIR/answer.json has the shape of a function's answer; curl leaves the body in $DIR/body instead.
EXPRESSION is Python over d (the body), h (headers, lower case) and id (of the user last created,
kept in $DIR/id).
"""

import base64
import json
import os
import pathlib
import sys

KINDS = {"events": list, "watch": dict}
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"


def faults_of_no_request(answer, kind, expression):
    if not isinstance(answer, kind):
        yield f"not a {kind.__name__}"
    elif not eval(expression, {"d": answer}):
        yield f"not so: {expression}"


def faults(answer, body, status, expression, kept_id):
    if answer.get("statusCode") != status:
        yield f"status {answer.get('statusCode')}, not {status}"
        return
    h = {k.lower(): v[-1] if isinstance(v, list) else v for k, v in {**(answer.get("multiValueHeaders") or {}), **(answer.get("headers") or {})}.items()}
    if status == 204:
        if body:
            yield "a body with 204"
        return
    if h.get("content-type", "").split(";")[0] != "application/scim+json":
        yield f"content type {h.get('content-type')}"
    d = json.loads(body)
    if status >= 400 and (ERROR not in d["schemas"] or d["status"] != str(status)):
        yield "not a SCIM error"
    if status == 401 and not h.get("www-authenticate", "").startswith("Bearer"):
        yield "no WWW-Authenticate: Bearer"
    if status == 201:
        kept_id.write_text(d["id"])
        if not h.get("location") or h["location"] != d["meta"]["location"]:
            yield f"Location {h.get('location')}, meta.location {d['meta'].get('location')}"
    names = {"d": d, "h": h, "id": kept_id.read_text() if kept_id.exists() else None}
    if expression and not eval(expression, names):
        yield f"not so: {expression}"


def body_of(answer, file):
    if file.exists():
        return file.read_text()
    body = answer.get("body") or ""
    return base64.b64decode(body).decode() if answer.get("isBase64Encoded") else body


def main(name, status, expression=""):
    directory = pathlib.Path(os.environ["DIR"])
    text, body = (directory / "answer.json").read_text(), None
    try:
        answer = json.loads(text)
        if status in KINDS:
            found = list(faults_of_no_request(answer, KINDS[status], expression))
        else:
            body = body_of(answer, directory / "body")
            found = list(faults(answer, body, int(status), expression, directory / "id"))
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        found = [f"{type(error).__name__}: {error}"]
    print(f"FAIL {name}: {'; '.join(found)}; answer: {text[:600]} {(body or '')[:600]}" if found else f"ok   {name}: {status}")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
