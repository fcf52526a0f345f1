"""Calls one's own gateway endpoint as part of traces; writes what that changed, as JSON.

Arguments: the root of the Secrets and the access keys by user name.
"""

import json
import secrets
import sys
from collections.abc import Iterator
from dataclasses import replace

from application import Application, Request, basic
from digest import rows_of
from gateway_world import GatewayWorld, start_provider
from world import MLFLOW, User, make_administrator

CHAT = {"messages": [{"role": "user", "content": "a question"}]}


def traceparent(trace: str) -> tuple[str, str]:
    """The header of W3C's Trace Context that names a trace of MLflow's."""
    return "traceparent", f"00-{trace.removeprefix('tr-')}-{secrets.token_hex(8)}-01"


def stored_in_default(*, besides: set[str]) -> set[str]:
    """Ids of the traces in the experiment that every database begins with, without those of ``besides``."""
    from mlflow.server.handlers import _get_tracking_store
    from mlflow.store.tracking.dbmodels.models import SqlTraceInfo

    with _get_tracking_store().ManagedSessionMaker() as session:
        found = session.query(SqlTraceInfo.request_id).filter(SqlTraceInfo.experiment_id == 0)
        return {name for (name,) in found} - besides


def headers_of_none() -> Iterator[tuple[str, str]]:
    """That name a trace which is not stored, or are none of W3C's, at which MLflow begins a trace of its own."""
    yield "absent", traceparent(f"tr-{secrets.token_hex(16)}")[1]
    yield "not sampled", f"{traceparent(f'tr-{secrets.token_hex(16)}')[1][:-2]}00"
    yield "of zeros", f"00-{'0' * 32}-{secrets.token_hex(8)}-01"
    yield "no trace", "a text"
    yield "empty", ""


def written_to_default(application: Application, path: str, user: User) -> list[str]:
    """The names of headers at which a call of ``user`` is served and writes to the experiment ``Default``."""
    wrote = []
    for name, value in headers_of_none():
        before = stored_in_default(besides=set())
        asked = Request.of("POST", path, CHAT)
        asked = replace(asked, headers=(*asked.headers, ("traceparent", value)))
        assert application.ask(asked, *user.credentials).status == 200
        wrote += [name] * bool(stored_in_default(besides=before))
    return wrote


def grant_default(application: Application, administrator: User, user: User) -> None:
    """EDIT of the experiment ``Default``."""
    path = f"{MLFLOW}/permissions/users/{user.email}/experiments/0"
    answer = application.ask(Request.of("POST", path, {"permission": "EDIT"}), *administrator.credentials)
    assert answer.status in (200, 201), answer


def main() -> None:
    """As bert, within a trace of anna's, of his own, and of none."""
    keys, application, (provider, _) = json.loads(sys.argv[2]), Application(), start_provider()
    users = {name: User(name, (basic(name, keys[name]),)) for name in ("anna", "bert", "dora")}
    worlds = {name: GatewayWorld(application, users[name], provider=provider) for name in ("anna", "bert")}
    mine, theirs = worlds["bert"].names, worlds["anna"].names
    path = f"/gateway/{mine['gateway_endpoint_name']}/mlflow/invocations"
    before, statuses = rows_of(theirs), {}
    for name, trace in (("theirs", theirs["trace"]), ("mine", mine["trace"]), ("new", f"tr-{secrets.token_hex(16)}")):
        asked = Request.of("POST", path, CHAT)
        asked = replace(asked, headers=(*asked.headers, traceparent(trace)))
        statuses[name] = application.ask(asked, *users["bert"].credentials).status
    after = rows_of(theirs)
    wrote = {"no grant": written_to_default(application, path, users["bert"])}
    make_administrator(users["dora"])
    grant_default(application, users["dora"], users["bert"])
    wrote["EDIT"] = written_to_default(application, path, users["bert"])
    changed = [name for name in before if before[name] != after[name]]
    print(json.dumps({"statuses": statuses, "changed": changed, "default": wrote}))


if __name__ == "__main__":
    main()
