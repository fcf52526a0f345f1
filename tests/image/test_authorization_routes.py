"""The table of routes has what the real application serves, and nothing else."""

import json

import pytest
from serving import AS_SERVER, Site

pytestmark = [pytest.mark.servers, pytest.mark.parametrize("venv", ["3.17.2"], indirect=True)]

COMPARE = (
    AS_SERVER
    + r"""
import json, re
from mlflow.server import app as flask_app
from mlflow_oidc_auth.app import app
from mlflow_sso.authorization.release_3_17_2.table import table

AUTOMATIC = {"HEAD", "OPTIONS"}

def flask_routes():
    for rule in flask_app.url_map.iter_rules():
        yield from ((method, str(rule.rule)) for method in rule.methods - AUTOMATIC)

def fastapi_routes():
    for route in app.router.routes:
        for context in route.effective_route_contexts() if hasattr(route, "effective_route_contexts") else ():
            path = getattr(context.starlette_route, "path", None) or context.path
            path = re.sub(r"\{(\w+):path\}", r"<path:\1>", path)
            path = re.sub(r"\{(\w+)\}", r"<\1>", path)
            yield from ((method, path) for method in context.methods - {"HEAD"})

served = {*flask_routes(), *fastapi_routes()}
plain = [route for route in app.router.routes if not hasattr(route, "effective_route_contexts")]
gateways = {}
for on in (True, False):
    rows = table(ai_gateway=on)
    gateways[str(on)] = [rows.find("POST", "/gateway/mlflow/v1/chat/completions").route.rule.access.name,
                         rows.find("GET", "/api/3.0/mlflow/gateway/secrets/list").route.rule.access.name]
print(json.dumps({"missing": sorted(served - rows.pairs), "gone": sorted(rows.pairs - served), "served": len(served),
                  "mounted": [route.path for route in plain], "gateways": gateways}))
"""
)


def test_route_table_is_what_application_serves(site: Site) -> None:
    done = site.pod.script(COMPARE, str(site.pod.secrets_root))

    assert done.code == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["missing"] == [], "refused, since no row of authorization/release_3_17_2 has them"
    assert found["gone"] == []
    # So that routes which are no longer listed are noticed.
    assert found["served"] > 950
    # MLflow's Flask application is mounted at the root.
    assert found["mounted"] == [""]
    assert found["gateways"] == {"True": ["MEMBER", "MEMBER"], "False": ["REFUSED", "REFUSED"]}
