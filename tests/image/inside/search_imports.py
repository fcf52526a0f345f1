"""Searches for runs in every way, and writes as JSON which parts of MLflow's own login were looked for.

Arguments: the root of the Secrets, the access keys by user name, and ``ours`` or ``upstream``.
"""

import json
import sys
from importlib.abc import MetaPathFinder
from types import ModuleType
from typing import Any

from application import Application, Request, basic
from world import User, World

from mlflow_sso.patches.no_basic_auth import BASIC_AUTH

GRAPHQL = "mutation($data: MlflowSearchRunsInput!) { mlflowSearchRuns(input: $data) { runs { info { runId } } } }"


class Looked(MetaPathFinder):
    """Notes what is looked for, and finds nothing."""

    def __init__(self) -> None:
        self.names = list[str]()

    def find_spec(self, name: str, *_: Any) -> None:
        if name in (BASIC_AUTH, "flask_wtf"):
            self.names.append(name)


def install_flask_wtf() -> None:
    """As an image that someone extended has it."""
    csrf = ModuleType("flask_wtf.csrf")
    csrf.CSRFProtect = object  # type: ignore[attr-defined]
    sys.modules.update({"flask_wtf": ModuleType("flask_wtf"), "flask_wtf.csrf": csrf})


def main() -> None:
    """As anna, by the API, from the pages and by GraphQL."""
    anna = User("anna", (basic("anna", json.loads(sys.argv[2])["anna"]),))
    application = Application()
    names = World(application, anna).names
    if sys.argv[4] == "upstream":
        del sys.modules[BASIC_AUTH]
    looked = Looked()
    sys.meta_path.insert(0, looked)
    data = {"experiment_ids": [names["experiment"]]}
    variables = {"data": {"experimentIds": [names["experiment"]]}}
    asked = {
        "api": Request.of("POST", "/api/2.0/mlflow/runs/search", data),
        "pages": Request.of("POST", "/ajax-api/2.0/mlflow/runs/search", data),
        "graphql": Request.of("POST", "/graphql", {"query": GRAPHQL, "variables": variables}),
    }
    found = {way: names["run"] in application.ask(request, *anna.credentials).text for way, request in asked.items()}
    looked_for = list(looked.names)
    install_flask_wtf()
    extended = application.ask(asked["api"], *anna.credentials).status if sys.argv[4] == "ours" else 0
    print(json.dumps({"looked for": looked_for, "found": found, "extended": extended}))


if __name__ == "__main__":
    main()
