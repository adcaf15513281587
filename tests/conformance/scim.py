"""What the suites share: a tenant of their own, HTTP, and the figure that goes into the table.

`run` sets SCIMCTL (the binary) and SCIM_DATA (the data directory that it serves). SCIM_URL is the
tenants' base URL, if another server than scimctl's answers for the same data.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

DATA = Path(__file__).parent / "data"
VECTORS = Path(__file__).parent.parent / "vectors"
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"


@dataclass(frozen=True)
class Tenant:
    """A customer with nothing in it: where, and the token that opens it."""

    base_url: str
    token: str

    @classmethod
    def create(cls, name: str, profile: str) -> Tenant:
        command = [os.environ["SCIMCTL"], "--data", os.environ["SCIM_DATA"], "--json"]
        # A suite deletes all that it has created, which the brake of a new tenant would stop.
        command += ["tenant", "create", name, "--profile", profile, "brake.share=null"]
        command += ["--base-url", os.environ["SCIM_URL"]] if "SCIM_URL" in os.environ else []
        made = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
        return cls(made["base_url"].rstrip("/"), made["token"])


class Client:
    """Sends requests to one tenant as the suites' own runners do: SCIM's media type both ways."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy between this machine and itself

    def send(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> requests.Response:
        """A body that is text goes out as it is, everything else as JSON."""
        text = body if isinstance(body, str) or body is None else json.dumps(body, ensure_ascii=False)
        return self._session.request(
            method,
            self._tenant.base_url + path,
            data=None if text is None else text.encode(),
            headers={
                "Authorization": f"Bearer {self._tenant.token}",
                "Content-Type": "application/scim+json",
                "Accept": "application/scim+json",
                **(headers or {}),
            },
            timeout=30,
        )


def json_of(response: requests.Response) -> Any:
    """The answer's document; None if there is no document, so that a suite can continue."""
    try:
        return response.json()
    except ValueError:
        return None


def load(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def fill(value: Any, words: dict[str, Any]) -> Any:
    """Puts words in the place of {{name}}, in names of members too; unknown names stay."""
    if isinstance(value, str):
        return re.sub(r"\{\{([\w.:-]+)\}\}", lambda match: str(words.get(match[1], match[0])), value)
    if isinstance(value, list):
        return [fill(item, words) for item in value]
    if isinstance(value, dict):
        return {fill(name, words): fill(member, words) for name, member in value.items()}
    return value


@dataclass
class Figures:
    """A suite's figure. `run` reads the line that starts with "=", and the log has the rest."""

    suite: str
    profile: str
    goal: str = "all"
    passed: int = 0
    of: int = 0
    met: bool = field(default=True, init=False)

    def check(self, good: bool, what: str, why: object = "") -> None:
        self.of += 1
        if good:
            self.passed += 1
        else:
            self.fault(f"{what}: {why}")

    def fault(self, what: str) -> None:
        """The goal is missed, for a reason that is no case of the suite's own."""
        self.met = False
        print("FAIL " + what.replace("\n", " ")[:600])

    def row(self) -> bool:
        met = self.met and self.of > 0
        row = (self.suite, self.profile, self.passed, self.of, self.goal, "yes" if met else "NO")
        print("= " + "|".join(str(cell) for cell in row))
        return met


def finish(*figures: Figures) -> None:
    """Prints a row each; the status is 1 when a goal is missed."""
    rows = [one.row() for one in figures]
    sys.exit(0 if all(rows) else 1)
