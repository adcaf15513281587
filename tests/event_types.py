"""Prints one JSON Schema of all events from the schemas of docs/events, for generators of types.

What all events have in common becomes a definition of its own, so that the types stay short.
"""

import json
import pathlib
import sys


def name(title: str) -> str:
    """`group.member_added` becomes `GroupMemberAdded`."""
    return "".join(part.capitalize() for part in title.replace("_", ".").split("."))


def subject_name(subject: dict) -> str:
    """The name of a subject's type: subjects of one type have one shape."""
    types = subject["properties"]["type"].get("enum", [])
    return f"{types[0] if len(types) == 1 else 'Resource'}Subject"


def combine(schemas: list[dict]) -> dict:
    first = schemas[0]["properties"]
    common = {
        key: value
        for key, value in first.items()
        if all(schema["properties"].get(key) == value for schema in schemas)
    }
    definitions = {"Envelope": part(common, schemas[0]["required"])}
    for schema in schemas:
        own = {key: value for key, value in schema["properties"].items() if key not in common}
        subject = subject_name(own["subject"])
        definitions[subject] = own["subject"]
        own["subject"] = {"$ref": f"#/definitions/{subject}"}
        definition = part(own, schema["required"])
        definition["allOf"] = [{"$ref": "#/definitions/Envelope"}]
        definitions[name(schema["title"])] = definition
    types = [{"$ref": f"#/definitions/{name(schema['title'])}"} for schema in schemas]
    return {"title": "ScimEvent", "anyOf": types, "definitions": definitions}


def part(properties: dict, required: list[str]) -> dict:
    return {
        "type": "object",
        "properties": properties,
        "required": [key for key in required if key in properties],
    }


if __name__ == "__main__":
    paths = sorted(pathlib.Path(sys.argv[1]).glob("*.json"))
    print(json.dumps(combine([json.loads(path.read_text()) for path in paths]), indent=2))
