"""Calls one's own gateway endpoint as part of traces; writes what that changed, as JSON.

Arguments: the root of the Secrets and the access keys by user name.
"""

import json
import secrets
import sys
from dataclasses import replace

from application import Application, Request, basic
from digest import rows_of
from gateway_world import GatewayWorld, start_provider
from world import User

CHAT = {"messages": [{"role": "user", "content": "a question"}]}


def traceparent(trace: str) -> tuple[str, str]:
    """The header of W3C's Trace Context that names a trace of MLflow's."""
    return "traceparent", f"00-{trace.removeprefix('tr-')}-{secrets.token_hex(8)}-01"


def main() -> None:
    """As bert, within a trace of anna's, of his own, and of none."""
    keys, application, (provider, _) = json.loads(sys.argv[2]), Application(), start_provider()
    users = {name: User(name, (basic(name, keys[name]),)) for name in ("anna", "bert")}
    worlds = {name: GatewayWorld(application, user, provider=provider) for name, user in users.items()}
    mine, theirs = worlds["bert"].names, worlds["anna"].names
    path = f"/gateway/{mine['gateway_endpoint_name']}/mlflow/invocations"
    before, statuses = rows_of(theirs), {}
    for name, trace in (("theirs", theirs["trace"]), ("mine", mine["trace"]), ("new", f"tr-{secrets.token_hex(16)}")):
        asked = Request.of("POST", path, CHAT)
        asked = replace(asked, headers=(*asked.headers, traceparent(trace)))
        statuses[name] = application.ask(asked, *users["bert"].credentials).status
    after = rows_of(theirs)
    print(json.dumps({"statuses": statuses, "changed": [name for name in before if before[name] != after[name]]}))


if __name__ == "__main__":
    main()
