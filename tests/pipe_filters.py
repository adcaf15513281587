"""pipe_filters.py TEMPLATE TABLE VECTORS RECORDS...: do the filters of the Pipes pass what they should?

The patterns come from the template and are evaluated by moto. VECTORS are patterns of AWS's
documentation, so that the evaluator itself is checked first. Each file of RECORDS has all kinds of
rows, and one JSON object a line:

    {"kind": "U", "change": "MODIFY", "passes": true, "record": {...}, "event": {...}}

`record` is a record of the table's stream; `event`, which may be missing or null, is what the
function made of it. TABLE is the document whose table between the marks "what passes" says for
each kind of row what passes: "yes", "no", or when.
"""

import copy
import json
import re
import sys

from event_rules import patterns, pipes
from moto.events.models import EventPattern
from samcli.yamlhelper import yaml_parse

CHANGES = ("INSERT", "MODIFY", "REMOVE")
# What Pipes can filter a DynamoDB stream by. AWS says that they cannot by eventName.
FILTERED = {"dynamodb"}
# What SQS accepts as the group and the id of a message, and EventBridge as a type.
QUEUE_TEXT = re.compile(r"""[A-Za-z0-9!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]{1,128}""")
MAX_TYPE = 128


def matches(pattern, event):
    return EventPattern.load(json.dumps(pattern)).matches_event(event)


def passes(filters, record):
    """A Pipe passes a record that any of its patterns matches."""
    return any(matches(pattern, record) for pattern in filters)


def wrong_vectors(vectors):
    """The cases in which the evaluator differs from the documentation, unless they are known to."""
    for case in vectors["cases"]:
        differs = [e["event"] for e in case["events"] if matches(case["pattern"], e["event"]) != e["matches"]]
        if differs and "unlike" not in case:
            yield f"vector {case['name']!r}: the evaluator differs on {differs}"
        if not differs and "unlike" in case:
            yield f"vector {case['name']!r}: the evaluator no longer differs; remove `unlike`"


def operators(pattern):
    """The names of the operators in a pattern; "" is a plain value."""
    found = set()
    for name, value in pattern.items():
        if name == "$or":
            found |= {"$or"}.union(*map(operators, value))
        elif isinstance(value, dict):
            found |= operators(value)
        else:
            found = found.union(*(set(item) if isinstance(item, dict) else {""} for item in value))
    return found


def unproven(filters, vectors):
    """Operators of the filters that Pipes lack, or that no vector proves the evaluator to have."""
    proven = [operators(c["pattern"]) for c in vectors["cases"] if c["pipe"] and "unlike" not in c]
    return set().union(*map(operators, filters)) - set().union(*proven)


def table(path):
    """What the document says: {kind: {change: cell}}."""
    with open(path, encoding="utf-8") as file:
        text = file.read().split("<!-- what passes -->")[1].split("<!-- end of what passes -->")[0]
    rows = [[cell.strip() for cell in line.strip("| \n").split("|")] for line in text.splitlines() if line.startswith("|")]
    return {row[0].strip("`"): dict(zip(CHANGES, row[2:], strict=True)) for row in rows[2:]}


def wrong_records(filters, records, said):
    for number, line in enumerate(records, 1):
        kind, change, wanted = line["kind"], line["change"], line["passes"]
        name = f"record {number}, {kind} {change}"
        if change != line["record"]["eventName"]:
            yield f"{name}: its eventName is {line['record']['eventName']}"
        if passes(filters, line["record"]) != wanted:
            yield f"{name}: {'does not pass' if wanted else 'passes'}"
        cell = said.get(kind, {}).get(change)
        if cell is None or (cell == "yes" and not wanted) or (cell == "no" and wanted):
            yield f"{name}: the table says {cell!r}"
        event = line.get("event")
        if event is not None and not wanted:
            yield f"{name}: is kept out, but makes {event['type']}"
        if event is not None:
            yield from (f"{name}: {fault}" for fault in untakable(event))


def untakable(event):
    """What the targets would refuse. A refused event blocks its shard until the Pipe gives up."""
    for what, text in (("subject.id", event["subject"]["id"]), ("id", event["id"])):
        if not isinstance(text, str) or not QUEUE_TEXT.fullmatch(text):
            yield f"SQS does not accept {what} {text!r}"
    if not 1 <= len(event["type"]) <= MAX_TYPE:
        yield f"EventBridge does not accept the type {event['type']!r}"


def strangers(records):
    """Rows of kinds that this release does not know, and without a kind: both are kept out."""
    for line in records:
        for kind in ({"S": "?"}, {"S": "u"}, {"N": "1"}, None):
            record = copy.deepcopy(line["record"])
            for image in ("NewImage", "OldImage"):
                if image in record["dynamodb"]:
                    record["dynamodb"][image].pop("k", None)
                    if kind:
                        record["dynamodb"][image]["k"] = kind
            yield record


def less(pattern):
    """The pattern, each time without one of its parts; never without all of them."""
    for name, value in pattern.items():
        if len(pattern) > 1:
            yield f"{name}", {key: other for key, other in pattern.items() if key != name}
        if isinstance(value, dict):
            for part, smaller in less(value):
                yield f"{name}.{part}", {**pattern, name: smaller}
        elif len(value) > 1:
            for index in range(len(value)):
                yield f"{name}[{index}]", {**pattern, name: value[:index] + value[index + 1 :]}
        if name == "$or":
            for index, alternative in enumerate(value):
                for part, smaller in less(alternative):
                    yield f"$or[{index}].{part}", {**pattern, name: value[:index] + [smaller] + value[index + 1 :]}


def mutants(filters, kinds):
    """The filters, each broken in one place: without a pattern or a part of one, or with one more of
    the kinds that do not always pass."""
    for index, pattern in enumerate(filters):
        others = filters[:index] + filters[index + 1 :]
        yield f"pattern {index + 1} removed", others
        for part, smaller in less(pattern):
            yield f"pattern {index + 1} without {part}", [*others, smaller]
    for kind in kinds:
        yield f"{kind} added", [{"dynamodb": {"NewImage": {"k": {"S": [kind]}}}}, *filters]


def faults(template, said, vectors, records):
    yield from wrong_vectors(vectors)
    first, *others = [patterns(pipe) for pipe in pipes(template)]
    if any(other != first for other in others):
        yield "the Pipes have different filters"
    if any(set(pattern) != FILTERED for pattern in first):
        yield f"a Pipe can only filter by {FILTERED}"
    if unproven(first, vectors):
        yield f"operators without a vector that proves them: {unproven(first, vectors)}"
    yield from wrong_records(first, records, said)
    if any(passes(first, record) for record in strangers(records)):
        yield "a row of an unknown kind passes"
    unknown = list(strangers(records))
    partly = [kind for kind, cells in said.items() if set(cells.values()) != {"yes"}]
    for name, broken in mutants(first, partly):
        noticed = any(passes(broken, line["record"]) != line["passes"] for line in records)
        if not noticed and not any(passes(broken, record) for record in unknown):
            yield f"blind: {name} is not noticed by any record"


def read_records(path, kinds):
    """The records of a file, which has rows of all kinds."""
    with open(path, encoding="utf-8") as file:
        records = [json.loads(line) for line in file if line.strip()]
    seen = {line["kind"] for line in records}
    if seen != kinds:
        sys.exit(f"{path}: the kinds {sorted(seen ^ kinds)} are either not in it or not in the table")
    return records


def main(template_path, table_path, vectors_path, *records_paths):
    with open(template_path, encoding="utf-8") as file:
        template = yaml_parse(file.read())
    with open(vectors_path, encoding="utf-8") as file:
        vectors = json.load(file)
    said = table(table_path)
    records = [record for path in records_paths for record in read_records(path, set(said))]
    found = list(faults(template, said, vectors, records))
    cases = vectors["cases"]
    unlike = [case["name"] for case in cases if "unlike" in case]
    print(f"evaluator: {len(cases) - len(unlike)} of {len(cases)} documented cases; differs in: {'; '.join(unlike)}")
    events = sum(line.get("event") is not None for line in records)
    inside = sum(line["passes"] for line in records)
    print("\n".join(found) or f"pipe filters: {len(records)} records of {len({r['kind'] for r in records})} kinds, {inside} pass, {events} with their events")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
