"""Large answers, for tests/emulator.sh, which looks at what they take of the function's memory.

memory.py seed BASE_URL TOKEN    makes 250 users of 49 KB in one group, and a group of 900; prints both ids
memory.py event QUERY            turns an event for one user into one for a list, from standard input
"""

import json
import sys
import urllib.request


def seed(base_url: str, token: str) -> None:
    def post(path: str, body: dict) -> str:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/scim+json"}
        request = urllib.request.Request(base_url + path, json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["id"]

    roles = [{"value": f"{n}{'x' * 200}", "type": "t"} for n in range(190)]
    members = [{"value": post("/Users", {"userName": f"large{n}", "roles": roles})} for n in range(250)]
    large = post("/Groups", {"displayName": "Large users", "members": members})
    small = [{"value": post("/Users", {"userName": f"small{n}"})} for n in range(900)]
    print(large, post("/Groups", {"displayName": "Many users", "members": small}))


def event(query: str) -> None:
    made = json.load(sys.stdin)
    made["rawPath"], made["rawQueryString"] = "/scim/v2/Users", query
    made["requestContext"]["http"]["path"] = made["rawPath"]
    json.dump(made, sys.stdout)


if __name__ == "__main__":
    {"seed": seed, "event": event}[sys.argv[1]](*sys.argv[2:])
