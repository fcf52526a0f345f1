"""What the server does not do at its start: look through revisions, read every package ten times, build types twice."""

import pytest
from fresh_start import LEAVES, ask
from serving import AS_SERVER, Site

pytestmark = pytest.mark.servers

COUNTED = f"""{AS_SERVER}
import json
from importlib import metadata
from mlflow_sso.imports import serving_routes
reads, upgrades, find = [], [], metadata.distributions
metadata.distributions = lambda **options: reads.append(1) or find(**options)
with serving_routes(os.environ):
    from mlflow.store.db import utils
    utils._upgrade_db = upgrades.append
    import mlflow_sso.serve.application
started = len(reads)
known = {{(one.group, one.name) for one in metadata.entry_points(group="console_scripts")}}
print(json.dumps([started, len(upgrades), ("console_scripts", "mlflow") in known, len(reads) > started]))
"""

SHARED = """
import json
from typing import Annotated, Literal
from pydantic import Field, TypeAdapter
from mlflow_sso.patches.mlflow_3_17_2.parameter_types import Shared

share = Shared(TypeAdapter)
def same(one, other):
    return share(one) is share(other)

print(json.dumps({
    "equal": same(Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]),
    "bound": same(Annotated[int, Field(ge=1)], Annotated[int, Field(ge=2)]),
    "default": same(Annotated[int, Field(default=1)], Annotated[int, Field(default=True)]),
    "literal": same(Annotated[Literal[1], Field()], Annotated[Literal[True], Field()]),
    "factory": same(Annotated[list, Field(default_factory=lambda: [1])],
                    Annotated[list, Field(default_factory=lambda: [2])]),
    "object": same(Annotated[object, Field(default=object())], Annotated[object, Field(default=object())]),
    "bare": same(int, int),
    "alias": same(Annotated[int, Field(alias="a")], Annotated[int, Field(alias="b")]),
}))
"""

OF_ROUTES = f"""{AS_SERVER}
import json
from typing import Annotated
from mlflow_sso.imports import serving_routes
with serving_routes(os.environ):
    import mlflow_sso.serve.application
from fastapi._compat import v2
from pydantic import TypeAdapter

def fields(dependant):
    yield from (*dependant.path_params, *dependant.query_params, *dependant.header_params, *dependant.cookie_params,
                *dependant.body_params)
    for inner in dependant.dependencies:
        yield from fields(inner)

def differs(field):
    told = v2.asdict(field.field_info)
    fresh = TypeAdapter(Annotated[told["annotation"], *told["metadata"], v2.Field(**told["attributes"])])
    return fresh.json_schema(mode=field.mode) != field._type_adapter.json_schema(mode=field.mode)

{LEAVES}
routes = [route for route in leaves(app.app.router.routes) if hasattr(route, "dependant")]
found = [field for route in routes for field in fields(route.dependant)]
found += [route.body_field for route in routes if route.body_field]
adapters = {{id(field._type_adapter) for field in found}}
print(json.dumps([len(found), len(adapters), sum(map(differs, found))]))
"""


def test_start_upgrades_nothing_and_reads_packages_once(site: Site) -> None:
    reads, *rest = ask(site.pod, COUNTED)

    # Two more belong to packages that took the function before, or ask for distributions.
    assert reads <= 3
    # Afterwards packages are read again, as Python does it.
    assert rest == [0, True, True]


@pytest.mark.parametrize("venv", ["3.17.2"], indirect=True)
def test_only_equal_types_are_shared(site: Site) -> None:
    found = ask(site.pod, SHARED)

    assert isinstance(found, dict)
    assert {name for name, same in found.items() if same} == {"equal"}


@pytest.mark.parametrize("venv", ["3.17.2"], indirect=True)
def test_every_parameter_keeps_its_type(site: Site) -> None:
    fields, adapters, different = ask(site.pod, OF_ROUTES)

    assert different == 0
    assert fields > 1000 > 3 * adapters
