"""Revokes a grant between the moment when a request has read it and the moment when it is remembered; writes JSON.

Arguments: the root of the Secrets and the access keys by user name. For each time that a request remembers something,
that is what bert hears of the request itself, and afterwards.
"""

import json
import sys
from collections.abc import Callable
from typing import Any

from application import Application, Request, basic
from world import MLFLOW, User, World

from mlflow_sso.releases import installed

MOST = 20
"""Times that one request remembers something, at most."""


class Race:
    """Calls ``meanwhile`` once, in the thread of the request, when something is about to be remembered."""

    def __init__(self, meanwhile: Callable[[], Any]) -> None:
        self._meanwhile = meanwhile
        self.left: int | None = None
        self.happened = False

    def remember(self, store: Callable[..., Any]) -> Callable[..., Any]:
        """``store``, which remembers, with what happens before it."""

        def remembered(*arguments: Any, **named: Any) -> Any:
            if self.left is not None:
                self.left -= 1
                if self.left < 0:
                    self.left, self.happened = None, True
                    self._meanwhile()
            return store(*arguments, **named)

        return remembered


def slow_down(race: Race) -> None:
    """Let ``race`` stand between reading and remembering."""
    if installed().mlflow == "3.6.0":
        from mlflow_sso.authorization.remembering import Recent

        Recent.put = race.remember(Recent.put)
    else:
        from mlflow_oidc_auth.utils.grant_context import GUARD

        GUARD.store_unless_raced = race.remember(GUARD.store_unless_raced)


def main() -> None:
    """Once for each place."""
    keys, application = json.loads(sys.argv[2]), Application()
    users = {name: User(name, (basic(name, keys[name]),)) for name in ("anna", "bert", "carl")}
    any_request = Request.of("GET", f"{MLFLOW}/experiments/search?max_results=1")
    for name in users:
        application.ask(any_request, *users[name].credentials)

    def meanwhile() -> None:
        world.revoke(users["bert"])
        # The login of any other request ends what is remembered.
        application.ask(any_request, *users["carl"].credentials)

    race, heard = Race(meanwhile), []
    slow_down(race)
    for place in range(MOST):
        world = World(application, users["anna"])
        world.grant(users["bert"], "READ")
        asked = Request.of("GET", f"{MLFLOW}/runs/get?run_id={world.names['run']}")
        race.left, race.happened = place, False
        during = application.ask(asked, *users["bert"].credentials).status
        race.left = None
        if not race.happened:
            break
        heard.append([during, application.ask(asked, *users["bert"].credentials).status])
    print(json.dumps(heard))


if __name__ == "__main__":
    main()
