"""Lists what is bound to a gateway endpoint, as who may read the endpoint and not the scorers; writes it as JSON.

Arguments: the root of the Secrets and the access keys by user name.
"""

import json
import sys
from typing import Any

from application import Application, Request, basic
from ask_references import judge
from gateway_world import GATEWAY, GatewayWorld, start_provider
from world import MLFLOW, THIRD, User, make_administrator


class Bindings:
    """Anna's endpoint, to which a scorer of hers is bound, another that bert may not read, and one that is gone."""

    def __init__(self, application: Application, users: dict[str, User], provider: str) -> None:
        self._application, self._users = application, users
        self._world = GatewayWorld(application, users["anna"], provider=provider)
        self._names = self._world.names
        for name in ("open", "hidden", "gone"):
            text = json.dumps(judge(name, f"gateway:/{self._names['gateway_endpoint_name']}"))
            body = {"experiment_id": self._names["experiment"], "name": name, "serialized_scorer": text}
            self.ask("anna", "POST", f"{THIRD}/scorers/register", body)
        # As rows that were written by hand, or by an earlier server.
        self._delete_row("gone")

    def ask(self, user: str, method: str, path: str, body: Any = None) -> Any:
        """The answer's JSON; fails unless it is one of success."""
        answer = self._application.ask(Request.of(method, path, body), *self._users[user].credentials)
        assert answer.status in (200, 201), (path, answer.status, answer.text)
        return answer.json() if answer.body else {}

    def seen(self, user: str, more: str = "") -> list[str]:
        """Names of the scorers that ``user`` is shown, or the ids of things without a name."""
        path = f"{GATEWAY}/endpoints/bindings/list?endpoint_id={self._names['gateway_endpoint']}{more}"
        rows = self.ask(user, "GET", path).get("bindings", [])
        return sorted(row.get("display_name") or row["resource_id"] for row in rows)

    def bind_unnamed(self) -> None:
        """By its editor, to what is not in the database."""
        body = {"endpoint_id": self._names["gateway_endpoint"], "resource_type": "scorer", "resource_id": "elsewhere"}
        self.ask("anna", "POST", f"{GATEWAY}/endpoints/bindings/create", body)

    def grant(self, thing: str, permission: str) -> None:
        """To bert."""
        path = f"{MLFLOW}/permissions/users/{self._users['bert'].email}/{thing}"
        self.ask("dora", "POST", path, {"permission": permission})

    def grant_all_but_hidden(self) -> None:
        """READ of the experiment, and a grant of its own on one scorer."""
        self.grant(f"experiments/{self._names['experiment']}", "READ")
        self.grant("scorers/" + f"{self._names['experiment']}/hidden", "NO_PERMISSIONS")

    def grant_endpoint(self) -> None:
        """READ of it, to bert."""
        self.grant(f"gateways/endpoints/{self._names['gateway_endpoint_name']}", "READ")

    def _delete_row(self, name: str) -> None:
        from mlflow.server.handlers import _get_tracking_store
        from mlflow.store.tracking.dbmodels.models import SqlScorer

        with _get_tracking_store().ManagedSessionMaker(read_only=False) as session:
            of_name = session.query(SqlScorer).filter(SqlScorer.scorer_name == name)
            of_name.filter(SqlScorer.experiment_id == int(self._names["experiment"])).delete()


def main() -> None:
    """As each of them, before and after grants."""
    keys, application, (provider, _) = json.loads(sys.argv[2]), Application(), start_provider()
    users = {name: User(name, (basic(name, keys[name]),)) for name in ("anna", "bert", "dora")}
    make_administrator(users["dora"])
    bindings = Bindings(application, users, provider)
    bindings.bind_unnamed()
    bindings.grant_endpoint()
    seen = {"reader": bindings.seen("bert"), "by type": bindings.seen("bert", "&resource_type=scorer")}
    bindings.grant_all_but_hidden()
    seen |= {"of the experiment": bindings.seen("bert"), "owner": bindings.seen("anna")}
    print(json.dumps(seen | {"administrator": bindings.seen("dora")}))


if __name__ == "__main__":
    main()
