"""What the server puts off at its start is there, and the same, once it is used."""

from typing import Any

import fresh_start
import pytest
from fresh_start import LEAVES
from pod import Pod
from serving import AS_SERVER, Site

pytestmark = pytest.mark.servers

OPENING = f"""{AS_SERVER}
import contextlib, json
from mlflow_sso import imports
from mlflow_sso.patches import late_url_builders
from mlflow_sso.patches.mlflow_3_17_2 import late_routes
if sys.argv[2] == "at once":
    late_url_builders.build_urls_late = late_routes.work_out_routes_late = lambda: None
    imports.models_built_late = contextlib.nullcontext
with imports.serving_routes(os.environ):
    import mlflow_sso.serve.application
"""

KNOWN = f"""{LEAVES}
from fastapi import routing
known = [one for one in leaves(app.app.router.routes) if isinstance(one, routing.APIRoute)]
begun = [one for one in known if "_begun" in vars(one)]
"""

MODELS = """
from pydantic import BaseModel
def below(kind):
    for one in kind.__subclasses__():
        yield one
        yield from below(one)
models = {f"{one.__module__}.{one.__qualname__}": one for one in below(BaseModel)}
# Those of a route's body are made with the route.
models = {name: one for name, one in models.items() if ".Body_" not in name}
complete = [name for name, one in models.items() if one.__pydantic_complete__]
"""
BUILT = """
def schema(model):
    try:
        return model.model_json_schema()
    except Exception as error:
        return type(error).__name__
told = {name: schema(one) for name, one in models.items()}
print(json.dumps([len(complete), told], default=str, sort_keys=True))
"""

ROUTES = """
import re
def without_addresses(parts):
    return re.sub(" at 0x[0-9a-f]+", "", repr(parts))
def fields(dependant):
    yield from (f"{one.name} {one.field_info!r}" for one in (*dependant.path_params, *dependant.query_params,
                *dependant.header_params, *dependant.cookie_params, *dependant.body_params))
    for inner in dependant.dependencies:
        yield from fields(inner)
PLAIN = ("path", "name", "summary", "description", "status_code", "tags", "deprecated", "operation_id", "unique_id",
         "include_in_schema", "response_class", "response_model", "stream_item_type", "responses", "path_format",
         "response_model_exclude_none", "response_model_by_alias", "is_json_stream", "is_sse_stream", "max_body_size")
def told(route):
    parts = [repr(getattr(route, name)) for name in PLAIN]
    parts += [sorted(route.methods), route.path_regex.pattern, len(route.dependencies)]
    parts += [str(route.body_field and route.body_field.field_info), str(route.response_field)]
    return [*parts, *fields(route.dependant)]
# Both what was defined and what the routers that include it make of it.
included = [context for _, context in routing._iter_routes_with_context(app.app.router.routes)]
every = [told(one) for one in (*known, *included) if one is not None and hasattr(one, "dependant") and one.dependant]
print(json.dumps([len(every), len(known), len(begun), sorted(map(without_addresses, every))]))
"""

URLS = """
from mlflow.server import app
address = app.url_map.bind("mlflow.example.com")
def built(rule):
    values = {name: f"a {number}/b" for number, name in enumerate(sorted(rule.arguments))}
    return [rule.endpoint, address.build(rule.endpoint, {**values, "more": "x"}, method=min(rule.methods or {"GET"})),
            rule.build(values, append_unknown=False), rule.build({**values, "bound": "y"})]
print(json.dumps([built(rule) for rule in app.url_map.iter_rules()]))
"""

TOGETHER = """
import threading
route, barrier, found = begun[0], threading.Barrier(8), []
def ask(name):
    barrier.wait()
    found.append(getattr(route, name))
names = ("app", "dependant", "path_regex", "body_field") * 2
threads = [threading.Thread(target=ask, args=[name]) for name in names]
[one.start() for one in threads]
[one.join() for one in threads]
try:
    route.no_such
except AttributeError as error:
    told = str(error)
print(json.dumps([len(found), len({id(one) for one in found}), hasattr(route, "original_router"), told]))
"""


def ask(pod: Pod, question: str, when: str) -> Any:
    """What a script prints as JSON after a start that puts things off (``late``), or does all ``at once``."""
    # FastAPI names a route by the first of its methods, which are a set.
    return fresh_start.ask(pod, OPENING + question, when, PYTHONHASHSEED="0")


@pytest.mark.parametrize("venv", ["3.17.2"], indirect=True)
def test_routes_are_the_same_when_used(site: Site) -> None:
    count, known, begun, late = ask(site.pod, KNOWN + ROUTES, "late")
    *_, begun_at_once, at_once = ask(site.pod, KNOWN + ROUTES, "at once")

    assert late == at_once
    assert count == 2 * known > 1000
    # Nearly all are only begun at the start.
    assert begun > known - 10
    assert begun_at_once == 0


@pytest.mark.parametrize("venv", ["3.17.2"], indirect=True)
def test_threads_that_ask_first_agree(site: Site) -> None:
    answered, different, is_router, unknown = ask(site.pod, KNOWN + TOGETHER, "late")

    assert (answered, different, is_router) == (8, 4, False)
    assert "no_such" in unknown


@pytest.mark.parametrize("venv", ["3.17.2"], indirect=True)
def test_models_are_the_same_when_used(site: Site) -> None:
    complete, late = ask(site.pod, MODELS + BUILT, "late")
    complete_at_once, at_once = ask(site.pod, MODELS + BUILT, "at once")

    assert late == at_once
    assert complete < complete_at_once / 2


@pytest.mark.either_release
def test_urls_are_the_same_when_built(site: Site) -> None:
    late, at_once = (ask(site.pod, URLS, when) for when in ("late", "at once"))

    assert late == at_once
    assert any(url and "more=x" in url for _, url, *_ in late)
