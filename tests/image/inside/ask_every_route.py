"""Asks every route of a release's table as every role; writes what was served against the table, as JSON.

Arguments: the root of the Secrets, the access keys by user name, this name, and grace's tokens as JSON: that of our
client, and that of another.
"""

import json
import re
import sys
from collections.abc import Iterable

from application import Answer, Application, Request, basic, bearer
from digest import digest
from extras import STRICTER, UNKNOWN_THINGS, extras, routes
from matrix import Case, cases
from world import MLFLOW, User, World, end_access, make_administrator, shows

from mlflow_sso.authorization.rules import Level, Route
from mlflow_sso.patches import access_keys, key_checks
from mlflow_sso.releases import installed
from mlflow_sso.serve import steady_refusals

ANOTHERS_TOKEN, LEFT = "token of another client", "user who has left"
ROLES = {
    "anonymous": (None, False),
    ANOTHERS_TOKEN: (None, False),
    LEFT: (None, False),
    "no grant": (Level.NONE, False),
    "READ": (Level.READ, False),
    **({"USE": (Level.USE, False)} if "USE" in installed().permissions else {}),
    "EDIT": (Level.EDIT, False),
    "MANAGE": (Level.MANAGE, False),
    "administrator": (Level.MANAGE, True),
}
NAMES = {
    LEFT: "hugo",
    "no grant": "bert",
    "READ": "carl",
    "USE": "gina",
    "EDIT": "dora",
    "MANAGE": "emil",
    "administrator": "fred",
}
REFUSALS = (401, 403)


class Matrix:
    """A world for each role: it is asked what must be refused about it, then what must be served."""

    def __init__(self, routes: Iterable[Route], keys: dict[str, str], tokens: dict[str, str]) -> None:
        self._routes = tuple(routes)
        self._application = Application()
        self.asked, self._is_gone = 0, False
        self._owner = User("anna", (basic("anna", keys["anna"]),))
        self._users = {role: User(name, (basic(name, keys[name]),)) for role, name in NAMES.items()}
        self._users |= {"anonymous": User("", ()), ANOTHERS_TOKEN: User("grace", (bearer(tokens["others"]),))}
        self._ours = User("grace", (bearer(tokens["ours"]),))
        make_administrator(self._users["administrator"])

    def new_world(self) -> World:
        """With one thing of each kind."""
        return World(self._application, self._owner)

    def world(self, role: str) -> World:
        """A new world, of which the user in ``role`` has the level."""
        world = self.new_world()
        if role in Level.__members__:
            world.grant(self._users[role], role)
        if role in (ANOTHERS_TOKEN, LEFT):
            world.grant(self._users[role], "MANAGE")
        if role == ANOTHERS_TOKEN:
            self._require_access(self._ours, world)
        if role == LEFT and not self._is_gone:
            self._require_access(self._users[role], world)
            end_access(self._users[role])
            self._is_gone = True
        return world

    def _require_access(self, user: User, world: World) -> None:
        """It is the token, or the leaving, for which the user is refused afterwards."""
        request = Request.of("GET", f"{MLFLOW}/experiments/get?experiment_id={world.names['experiment']}")
        answer = self._application.ask(request, *user.credentials)
        assert answer.status == 200, answer

    def ask(self, role: str, case: Case) -> Answer:
        """One request as ``role``."""
        self.asked += 1
        return self._application.ask(case.request, *self._users[role].credentials)

    def wrong(self, role: str) -> list[str]:
        """A line for each request that was answered against the table."""
        world = self.world(role)
        # What must be refused changes nothing of what is served afterwards.
        return [*self.refused(role, world), *self.served(role, world)]

    def refused(self, role: str, world: World) -> list[str]:
        """A line for each request that was served though ``role`` may not; nothing may change meanwhile."""
        wrong = list[str]()
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

    def served(self, role: str, world: World) -> list[str]:
        """A line for each request that was refused though ``role`` may."""
        wrong = []
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
    if case.path.endswith(("/registered-models/delete", "/endpoints/delete")):
        return 3
    return 2 if re.search(r"/delete$|<dataset_id>$|<model_id>$|<artifact_path>$", case.path.replace("path:", "")) else 1


def refuse_at_once() -> None:
    """Refused logins without their pauses, and without the work that an unknown key costs."""
    # A thousand of them would take ten minutes; test_key_checks.py, test_steady_refusals.py and test_equal_hashing.py
    # are about them.
    key_checks.PAUSE_SECONDS = steady_refusals.REFUSAL_SECONDS = 0.0
    access_keys.SCRYPT_OF_NO_KEY = access_keys.SCRYPT_OF_NO_KEY.replace("32768", "1024")


if __name__ == "__main__":
    refuse_at_once()
    matrix = Matrix(routes(), json.loads(sys.argv[2]), json.loads(sys.argv[4]))
    lines = [line for role in ROLES for line in matrix.wrong(role)]
    print(json.dumps({"lines": lines, "asked": matrix.asked}))
