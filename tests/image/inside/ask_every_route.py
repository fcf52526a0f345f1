"""Asks every route of a release's table as every role; writes what was served against the table, as JSON.

Arguments: the root of the Secrets and the access keys by user name.
"""

import json
import re
import sys
from collections.abc import Iterable

from application import Answer, Application, basic
from digest import digest
from extras import STRICTER, UNKNOWN_THINGS, extras, routes
from matrix import Case, cases
from world import User, World, make_administrator, shows

from mlflow_sso.authorization.rules import Level, Route

ROLES = {
    "anonymous": (None, False),
    "no grant": (Level.NONE, False),
    "READ": (Level.READ, False),
    "EDIT": (Level.EDIT, False),
    "MANAGE": (Level.MANAGE, False),
    "administrator": (Level.MANAGE, True),
}
REFUSALS = (401, 403)


class Matrix:
    """Two worlds: one about which it is asked what must be refused, one for what must be served."""

    def __init__(self, routes: Iterable[Route], keys: dict[str, str]) -> None:
        self._routes = tuple(routes)
        self._application = Application()
        self.asked = 0
        names = dict(zip(("owner", *ROLES), ("anna", "", "bert", "carl", "dora", "emil", "fred"), strict=True))
        self._users = {role: User(name, (basic(name, keys[name]),) if name else ()) for role, name in names.items()}
        make_administrator(self._users["administrator"])

    def world(self, role: str) -> World:
        """A new world, of which the user in ``role`` has the level."""
        world = World(self._application, self._users["owner"])
        if role in Level.__members__:
            world.grant(self._users[role], role)
        return world

    def ask(self, role: str, case: Case) -> Answer:
        """One request as ``role``."""
        self.asked += 1
        return self._application.ask(case.request, *self._users[role].credentials)

    def refused(self, role: str) -> list[str]:
        """A line for each request that was served though ``role`` may not; nothing may change meanwhile."""
        world, wrong = self.world(role), list[str]()
        before = digest()
        # All paths of a row have one rule, so that one role suffices for them.
        cases = [case for case in self._cases(world, every_path=role == "no grant") if not self._may(role, case)]
        wrong += filter(None, (self._served(role, case, world) for case in cases))
        after = digest()
        return [*wrong, *(f"{role}: table {name} changed" for name in before if before[name] != after[name])]

    def _served(self, role: str, case: Case, world: World) -> str | None:
        answer = self.ask(role, case)
        shown = shows(answer, case.request, world.mark, world.secret)
        if not shown and (is_refusal(answer) or case.about in UNKNOWN_THINGS):
            return None
        return f"{role}: {case.name}: {answer.status}{' shows it' if shown else ''} {answer.text[:160]}"

    def served(self, role: str) -> list[str]:
        """A line for each request that was refused though ``role`` may."""
        world, wrong = self.world(role), []
        allowed = [case for case in self._cases(world, every_path=False) if self._may(role, case)]
        for case in sorted(allowed, key=_destruction):
            if case.about_the_world and case.about not in STRICTER:
                answer = self.ask(role, case)
                if is_refusal(answer):
                    wrong.append(f"{role}: {case.name}: {answer.status} {answer.text[:160]}")
        return wrong

    def _may(self, role: str, case: Case) -> bool:
        level, administrator = ROLES[role]
        return case.serves(level=level, administrator=administrator)

    def _cases(self, world: World, *, every_path: bool) -> list[Case]:
        return [
            case
            for route in self._routes
            for case in cases(route, world.names, extras(world.names), every_path=every_path)
        ]


def is_refusal(answer: Answer) -> bool:
    """Whether a user is refused, or shown the page of login instead, as release 3.6.0 does."""
    return answer.status in REFUSALS or "<title>Log in to MLflow</title>" in answer.text


def _destruction(case: Case) -> int:
    """What deletes objects that others read comes last, and an object after its parts."""
    if case.request.method != "DELETE" and not re.search("delete|remove|rename", case.path):
        return 0
    if case.path.endswith("/registered-models/delete"):
        return 3
    return 2 if re.search(r"/delete$|<dataset_id>$|<model_id>$|<artifact_path>$", case.path.replace("path:", "")) else 1


if __name__ == "__main__":
    matrix = Matrix(routes(), json.loads(sys.argv[2]))
    lines = [line for role in ROLES for line in (*matrix.refused(role), *matrix.served(role))]
    print(json.dumps({"lines": lines, "asked": matrix.asked}))
