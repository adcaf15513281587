"""The public scim-sanity, `probe --strict`; its JSON output tells passed from skipped."""

from __future__ import annotations

import json
import subprocess

from scim import Figures, Tenant, finish

OPTIONAL = ("Agent", "AgenticApplication")  # resource types of a draft, skipped where there are none


def main() -> None:
    figures = Figures("scim-sanity", "strict", "0 failed")
    tenant = Tenant.create("scim-sanity", "strict")
    command = ["scim-sanity", "probe", tenant.base_url, "--token", tenant.token]
    command += ["--strict", "--i-accept-side-effects", "--json-output"]
    output = subprocess.run(command, stdout=subprocess.PIPE, check=False).stdout
    for result in json.loads(output)["results"]:
        name, status, why = f"{result['phase']}: {result['name']}", result["status"], result.get("message", "")
        print(f"{status} {name} {why}")
        if status != "skip" or not result["name"].startswith(OPTIONAL):
            figures.check(status in ("pass", "warn"), f"{name} ({status})", why)
    finish(figures)


if __name__ == "__main__":
    main()
