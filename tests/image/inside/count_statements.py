"""Asks each list as each kind of caller, and counts the statements that it takes; writes the counts as JSON.

Arguments: the root of the Secrets and the access keys by user name.
"""

import json
import sys
import time
from collections.abc import Iterator
from typing import Any

from application import Application, Request, basic
from statements import Statements
from world import MLFLOW, THIRD

from mlflow_sso.releases import installed

CALLERS = {
    "administrator": "anna",
    "everything": "bert",
    "one grant": "carl",
    "patterns": "dora",
    "everything by a group": "emil",
    "patterns of a group": "fred",
}


def lists(release: str, user: str, experiments: list[str]) -> Iterator[tuple[str, Request]]:
    """The requests of ``user`` by name, who may read ``experiments``."""
    yield "experiments", Request.of("POST", f"{MLFLOW}/experiments/search", {"max_results": 1000})
    yield "experiments, 25", Request.of("GET", f"{MLFLOW}/experiments/search?max_results=25")
    yield "registered models", Request.of("GET", f"{MLFLOW}/registered-models/search?max_results=100")
    prompts = "filter=tags.%60mlflow.prompt.is_prompt%60%20%3D%20%27true%27"
    yield "prompts", Request.of("GET", f"{MLFLOW}/registered-models/search?max_results=100&{prompts}")
    yield "model versions", Request.of("GET", f"{MLFLOW}/model-versions/search?max_results=100")
    body = {"experiment_ids": experiments}
    yield "runs", Request.of("POST", f"{MLFLOW}/runs/search", {**body, "max_results": 100})
    yield "logged models", Request.of("POST", f"{MLFLOW}/logged-models/search", {**body, "max_results": 50})
    places = [{"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": name}} for name in experiments]
    yield "traces", Request.of("POST", f"{THIRD}/traces/search", {"locations": places, "max_results": 50})
    yield "data sets", Request.of("POST", f"{THIRD}/datasets/search", body)
    yield "scorers", Request.of("GET", f"{THIRD}/scorers/list?experiment_id={experiments[0]}")
    users = f"{MLFLOW}/permissions/users" if release == "3.6.0" else f"{MLFLOW}/users"
    yield "users", Request.of("GET", users)
    yield "groups", Request.of("GET", f"{MLFLOW}/permissions/groups")
    yield "own experiments", Request.of("GET", f"{MLFLOW}/permissions/experiments")
    yield "own models", Request.of("GET", f"{MLFLOW}/permissions/registered-models")
    yield "own prompts", Request.of("GET", f"{MLFLOW}/permissions/prompts")
    for kind in ("experiments", "registered-models", "prompts"):
        yield f"{kind} of a user", Request.of("GET", f"{MLFLOW}/permissions/users/{user}@example.com/{kind}")
        yield f"{kind} of a group", Request.of("GET", f"{MLFLOW}/permissions/groups/everything/{kind}")
    yield "users of an experiment", Request.of("GET", f"{MLFLOW}/permissions/experiments/{experiments[0]}/users")
    if release == "3.17.2":
        yield "all scorers", Request.of("GET", f"{THIRD}/scorers/list")
        yield "artifact root", Request.of("GET", "/api/2.0/mlflow-artifacts/artifacts")


def forget() -> None:
    """Empty the plugin's caches of grants, as they are when a user comes."""
    if installed().mlflow == "3.17.2":
        from mlflow_oidc_auth.utils.permissions import flush_permission_cache

        flush_permission_cache()


def main() -> None:
    """Ask everything twice, for the first time opens connections and reads what every process reads once."""
    keys, application, statements = json.loads(sys.argv[2]), Application(), Statements()
    counts: dict[str, dict[str, Any]] = {}
    for caller, name in CALLERS.items():
        credentials = basic(name, keys[name])
        seen = application.ask(Request.of("GET", f"{MLFLOW}/experiments/search?max_results=1000"), credentials).json()
        experiments = [one["experiment_id"] for one in seen.get("experiments", ()) if one["experiment_id"] != "0"]
        for what, request in lists(installed().mlflow, name, experiments or ["1"]):
            application.ask(request, credentials)
            forget()
            started = time.perf_counter()
            with statements.counting() as sent:
                answer = application.ask(request, credentials)
            line = {"status": answer.status, "statements": len(sent), "seconds": time.perf_counter() - started}
            counts[f"{what}, {caller}"] = {**line, "bytes": len(answer.body), "text": answer.text[:200]}
            if "--verbose" in sys.argv and len(sent) > 30:
                counts[f"{what}, {caller}"]["sent"] = sorted(set(sent))[:40]
    print(json.dumps(counts))


if __name__ == "__main__":
    main()
