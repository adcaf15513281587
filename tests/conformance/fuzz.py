"""The public schemathesis with data/openapi.json: what it sends is random, what comes back must be
SCIM. fuzz_hooks.py judges and counts; this starts it and makes a figure of the count.

The seed is fixed, so that a build fails for what changed in it. `FUZZ_SEED=random` explores.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
from pathlib import Path

from scim import DATA, Figures, Tenant, finish

CALLS = 2000
EXAMPLES_AN_OPERATION = 150  # some operations have nothing to vary, so there are fewer calls than 19 x 150


def main() -> None:
    figures = Figures("schemathesis", "default", f"{CALLS} calls, no 5xx, each 4xx a SCIM error")
    tenant = Tenant.create("schemathesis", "default")
    seed = os.environ.get("FUZZ_SEED", "7644")
    scratch = Path(os.environ["SCIM_DATA"]).parent
    tally_file = scratch / "fuzz.json"
    command = ["st", "--no-color", "run", str(DATA / "openapi.json"), "--url", tenant.base_url]
    command += ["--header", f"Authorization: Bearer {tenant.token}"]
    command += ["--checks", "not_a_server_error,scim_error", "--phases", "coverage,fuzzing", "--workers", "1"]
    command += ["--max-examples", str(EXAMPLES_AN_OPERATION), "--continue-on-failure", "--no-shrink"]
    command += ["--seed", str(secrets.randbits(32)) if seed == "random" else seed]
    command += ["--generation-database", "none", "--warnings", "off"]
    environment = {
        **os.environ,
        "SCHEMATHESIS_HOOKS": str(Path(__file__).with_name("fuzz_hooks.py")),
        "FUZZ_TALLY": str(tally_file),
        "HYPOTHESIS_STORAGE_DIRECTORY": str(scratch / "hypothesis"),
    }
    # In a directory of its own, for schemathesis leaves files where it runs.
    status = subprocess.run(command, env=environment, cwd=scratch, check=False).returncode
    tally = json.loads(tally_file.read_text())
    print(f"{tally['calls']} calls; answers by status: {tally['statuses']}")
    figures.passed, figures.of = tally["calls"] - tally["bad"], tally["calls"]
    for fault in tally["faults"]:
        figures.fault(fault)
    if tally["calls"] < CALLS:
        figures.fault(f"only {tally['calls']} calls")
    if status and not tally["bad"]:
        figures.fault(f"schemathesis ended with {status}")
    finish(figures)


if __name__ == "__main__":
    main()
