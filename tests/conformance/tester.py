"""The public scim2-tester as shipped, through its library: every check that it has."""

from __future__ import annotations

from collections import Counter

from httpx2 import Client
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import Status, check_server

from scim import Figures, Tenant, finish

GOOD = (Status.SUCCESS, Status.COMPLIANT, Status.ACCEPTABLE)


def main() -> None:
    figures = Figures("scim2-tester", "strict", "0 failed")
    tenant = Tenant.create("scim2-tester", "strict")
    headers = {"Authorization": f"Bearer {tenant.token}"}
    client = SyncSCIMClient(Client(base_url=tenant.base_url + "/", headers=headers, timeout=30, trust_env=False))
    results = check_server(client)
    for result in results:
        name = f"{result.resource_type or 'service'} {result.title}"
        print(f"{result.status.name} {name}: {result.reason}")
        if result.status is not Status.SKIPPED:
            figures.check(result.status in GOOD, f"{name} ({result.status.name})", result.reason)
    checked = {result.resource_type for result in results}
    for missing in {"User", "Group"} - checked:  # a server that publishes less is checked less
        figures.fault(f"no {missing} was checked")
    print(dict(Counter(result.status.name for result in results)))
    finish(figures)


if __name__ == "__main__":
    main()
