"""The server starts without what few requests need, and nothing of MLflow's is missing when it is used."""

from pathlib import Path

import fresh_start
import pytest
from pod import Pod
from serving import AS_SERVER, Serving, Site, make_run

pytestmark = [pytest.mark.servers, pytest.mark.either_release]

OPEN = f"""{AS_SERVER}
import contextlib, json, os, sys
from mlflow_sso.imports import serving_routes
with serving_routes(os.environ) if sys.argv[2] == "ours" else contextlib.nullcontext():
    import mlflow_sso.serve.application
"""
NAMES = """
packages = ("mlflow", "mlflow_oidc_auth")
loaded = {name: module for name, module in sys.modules.items() if module and name.partition(".")[0] in packages}
print(json.dumps({name: sorted(vars(module)) for name, module in loaded.items()}))
"""
USED = """
import mlflow
assert not {"pandas", "numpy", "aiohttp"} & set(sys.modules)
from mlflow.models import infer_signature
from mlflow.genai.evaluation import utils
import pandas
assert issubclass(utils.pd.DataFrame, pandas.DataFrame)
print(json.dumps(len(infer_signature(pandas.DataFrame({"a": [1]})).inputs.inputs)))
"""
UNKNOWN = """
import mlflow.models
print(json.dumps([hasattr(mlflow.models, "__wrapped__"), "pandas" in sys.modules, hasattr(mlflow.models, "no_such")]))
"""
TYPES = """
from mlflow.types import DataType, Schema
import mlflow, numpy
print(json.dumps([mlflow.types.Schema is Schema, DataType.double.to_numpy() == numpy.dtype("float64")]))
"""
HTTP_CLIENT = """
from importlib.util import find_spec
from mlflow.assistant.providers import openai_compatible
found = find_spec("aiohttp") is not None, "aiohttp" in sys.modules
timeout = openai_compatible.aiohttp.ClientTimeout(total=300)
import aiohttp
print(json.dumps([*found, openai_compatible.aiohttp is aiohttp, isinstance(timeout, aiohttp.ClientTimeout)]))
"""
GATEWAY = """print(json.dumps("mlflow.server.gateway_api" in sys.modules))"""
CLIENT_ONLY = ("mlflow.data", "mlflow.metrics", "mlflow.store.artifact.hdfs_artifact_repo")
GATEWAY_ONLY = ("mlflow.gateway", "mlflow.server.gateway_api", "mlflow.store.tracking.gateway")
IMPORTED_WHEN_USED = ("mlflow.models", "mlflow.types", "mlflow.utils.warnings_utils")


def ask(pod: Pod, question: str, start: str = "ours", **environment: str) -> object:
    """What a script prints as JSON after it has opened the application."""
    answer: object = fresh_start.ask(pod, OPEN + question, start, **environment)
    return answer


def test_server_starts_without_data_frames(site: Site) -> None:
    # Not the server that other tests ask as well, whose requests may have imported both.
    with Serving(pod=site.pod) as server, server.wait().client("anna", site.keys["anna"]) as client:
        run = make_run(client)
        assert client.get(f"/api/2.0/mlflow/runs/get?run_id={run}").status_code == 200

        maps = Path(f"/proc/{server.worker}/maps").read_text()

    assert "psycopg2" in maps
    assert [name for name in ("pandas", "pyarrow", "numpy", "aiohttp") if f"/{name}/" in maps] == []


def test_names_of_routes_are_complete(site: Site) -> None:
    plain, ours = (ask(site.pod, NAMES, start) for start in ("plain", "ours"))

    assert isinstance(plain, dict)
    assert isinstance(ours, dict)
    known = (*CLIENT_ONLY, *GATEWAY_ONLY, *IMPORTED_WHEN_USED)
    missing = [
        f"{name}.{attribute}"
        for name, attributes in plain.items()
        if not name.startswith(known)
        for attribute in set(attributes) - set(ours.get(name, ()))
    ]
    # A package has a module as its attribute once that is imported.
    assert [name for name in missing if not name.startswith(known)] == []


def test_signatures_come_when_they_are_used(site: Site) -> None:
    assert ask(site.pod, USED) == 1


def test_unknown_names_import_nothing(site: Site) -> None:
    assert ask(site.pod, UNKNOWN) == [False, False, False]


def test_types_come_when_they_are_used(site: Site) -> None:
    assert ask(site.pod, TYPES) == [True, True]


@pytest.mark.parametrize("venv", ["3.17.2"], indirect=True)
def test_assistant_imports_its_client_when_used(site: Site) -> None:
    assert ask(site.pod, HTTP_CLIENT) == [True, False, True, True]
    assert ask(site.pod, HTTP_CLIENT, MLFLOW_ENABLE_AI_GATEWAY="true") == [True, True, True, True]


@pytest.mark.parametrize("venv", ["3.17.2"], indirect=True)
def test_gateway_is_there_when_on(site: Site) -> None:
    assert ask(site.pod, GATEWAY, MLFLOW_ENABLE_AI_GATEWAY="true") is True
    assert ask(site.pod, GATEWAY) is False
