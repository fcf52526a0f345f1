"""Names an experiment in other spellings of its number, where the default permission would let the caller edit it.

Arguments: the root of the Secrets and the access keys by user name.
"""

import json
import re
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from application import Application, Request, basic
from world import MLFLOW, THIRD, User, World

from mlflow_sso.authorization.rules import Access, Kind, Route, Where
from mlflow_sso.releases import installed

SPELLINGS = ("0{}", "00{}", " {}", "{} ", "+{}", "{}_0", "\u0661{}", "\uff10{}")


def routes() -> tuple[Route, ...]:
    """All rows that MLflow's release serves."""
    if installed().mlflow == "3.17.2":
        from mlflow_sso.authorization.release_3_17_2.table import routes

        return routes(ai_gateway=False)
    from mlflow_sso.authorization.release_3_6_0 import TABLE

    return tuple(TABLE.routes)


def in_places(number: str) -> Iterator[Request]:
    """A request of each row that names an experiment, with ``number`` in that place."""
    for route in routes():
        for need in route.rule.needs if route.rule.access is Access.MEMBER else ():
            if need.kind is not Kind.EXPERIMENT:
                continue
            for method in sorted(route.methods):
                for path in route.paths:
                    yield _request(method, path, need.field.path, need.field.where, number)


def _request(method: str, path: str, field: str, where: Where, number: str) -> Request:
    if where is Where.PATH:
        path = re.sub(rf"<(path:)?{field}>", quote(number), path)
    path = re.sub(r"<[^>]+>", "x", path)
    headers = [(field, number)] if where is Where.HEADER else []
    in_query = where is Where.QUERY or (where is Where.REQUEST and method == "GET")
    if in_query:
        path += f"?{field.removesuffix('[]')}={quote(number)}"
    has_body = method != "GET" and where is not Where.HEADER
    body = json.dumps({} if in_query or where is Where.PATH else _nested(field.split("."), number)) if has_body else ""
    kind = [("content-type", "application/json")] if body else []
    return Request(method=method, path=path, headers=[*headers, *kind], body=body.encode())


def _nested(steps: list[str], value: str) -> Any:
    if not steps:
        return value
    inner = _nested(steps[1:], value)
    name = steps[0].removesuffix("[]")
    return {name: [inner] if steps[0].endswith("[]") else inner}


def not_in_rows(number: str) -> Iterator[Request]:
    """Where no row names an experiment, and a handler reads one all the same."""
    user = f"{MLFLOW}/permissions/users/bert@example.com"
    yield Request.of("POST", f"{user}/experiments/{quote(number)}", {"permission": "MANAGE"})
    if installed().mlflow == "3.17.2":
        yield Request.of("GET", f"{MLFLOW}/permissions/scorers/{quote(number)}/x/users")
        params = {"experiment_id": number, "trace_ids": [], "serialized_scorer": "{}"}
        yield Request.of("POST", "/ajax-api/3.0/jobs/", {"job_name": "invoke_scorer", "params": params})


def main() -> None:
    """As bert, to whose name anna has denied her experiment."""
    keys, application = json.loads(sys.argv[2]), Application()
    anna, bert = (User(name, (basic(name, keys[name]),)) for name in ("anna", "bert"))
    world = World(application, anna)
    world.grant_experiment(bert, "NO_PERMISSIONS")
    number, served, asked = world.names["experiment"], list[Any](), 0
    for spelling in ("{}", *SPELLINGS):
        named = spelling.format(number)
        for request in (*in_places(named), *not_in_rows(named)):
            answer, asked = application.ask(request, *bert.credentials), asked + 1
            if not 400 <= answer.status < 500 or world.secret in answer.text:
                served.append([request.method, request.path, request.body.decode(), answer.status, answer.text[:200]])
    get = Request.of("GET", f"{MLFLOW}/experiments/get?experiment_id={number}")
    search = Request.of(
        "POST", f"{THIRD}/traces/search", {"locations": [{"mlflow_experiment": {"experiment_id": number}}]}
    )
    own = [application.ask(request, *anna.credentials).status for request in (get, search)]
    print(json.dumps({"served": served, "asked": asked, "own": own}))


if __name__ == "__main__":
    main()
