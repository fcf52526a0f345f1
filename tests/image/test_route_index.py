"""Routers that cannot match are passed over on release 3.17.2, and whatever can match is found as ever."""

import json

import pytest
from serving import AS_SERVER, Site

pytestmark = [pytest.mark.servers, pytest.mark.parametrize("venv", ["3.17.2"], indirect=True)]

COMPARE = (
    AS_SERVER
    + r"""
import json, re
from urllib.parse import unquote
from mlflow_oidc_auth.app import app
from mlflow_sso.patches.mlflow_3_17_2.route_index import skip_routers_by_prefix

routes, asked = app.router.routes, []

def counted(route):
    matches = route.matches
    def counting(scope):
        asked.append(route)
        return matches(scope)
    route.matches = counting

for route in routes:
    if hasattr(route, "effective_route_contexts"):
        counted(route)

def path_of(context):
    return getattr(context.starlette_route, "path", None) or context.path

def scope(method, raw, root=""):
    return {"type": "http", "method": method, "path": root + unquote(raw), "raw_path": (root + raw).encode(),
            "root_path": root, "query_string": b"", "headers": []}

contexts = [c for r in routes if hasattr(r, "effective_route_contexts") for c in r.effective_route_contexts()]
paths = {path_of(context) for context in contexts}
examples = {re.sub(r"\{[^}]*\}", text, path) for path in paths for text in ("1", "a%20b%2Fc")}
own = ["/", "/api/2.0/mlflow/runs/log-batch", "/ajax-api/2.0/mlflow/runs/search", "/static-files/index.html",
       "/api/2.0/mlflow-artifacts/artifacts/a/b", "/api/2.0/mlflow/permissions", "/healthy", "/health/"]
scopes = [("GET", path, "") for path in [*examples, *own]] + [("POST", path, "/below") for path in own]

def found():
    return [[(n, str(route.matches(scope(*one))[0])) for n, route in enumerate(routes)] for one in scopes]

def routers_asked(path):
    asked.clear()
    [route.matches(scope("POST", path)) for route in routes]
    return len(asked)

before, every = found(), routers_asked(own[1])
skip_routers_by_prefix(routes)
after = found()
# The application of MLflow itself is mounted at the root and takes what no other does.
taken = sum(any(match != "Match.NONE" for _, match in one[:-1]) for one in before)
print(json.dumps({"different": [one for one, a, b in zip(scopes, before, after) if a != b], "every": every,
                  "examples": len(examples), "taken": taken, "asked": [routers_asked(path) for path in own[1:5]]}))
"""
)


def test_router_index_keeps_every_match(site: Site) -> None:
    done = site.pod.script(COMPARE, str(site.pod.secrets_root))

    assert done.code == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["different"] == []
    assert found["examples"] > 500
    # Not every route takes a parameter with an encoded slash.
    assert found["taken"] > found["examples"] / 2
    # The routers of the release, each of which is asked without the index.
    assert found["every"] == 45
    assert found["asked"] == [0, 0, 0, 0]
