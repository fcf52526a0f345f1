"""Tags that MLflow's server interprets are known: a new one of upstream's has to be judged before it is served."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from pod import Venv

from mlflow_sso.authorization.forms import LOCATION_TAG, REFUSED_TAGS, SPANS_LOCATION_TAG

JUDGED = {LOCATION_TAG, SPANS_LOCATION_TAG, *REFUSED_TAGS}

HARMLESS = {
    "mlflow.traceName": "a name",
    "mlflow.eval.requestId": "a number of the client's",
    "mlflow.trace.sourceScorer": "hides a trace on pages",
    "mlflow.linkedPrompts": "names of prompts, which are asked for with their own permission",
    "mlflow.trace.archivalRetention": "how long the traces of the caller's own experiment stay out of an archive",
    "mlflow.user": "a name that pages show; who asks is known from the login",
}
"""Keys that MLflow itself names as those of traces, or as immutable, and why a client may set them."""


def assigned_texts(file: Path, *names: str) -> Iterator[str]:
    """Texts that are assigned in the classes ``names`` of a file."""
    for node in ast.parse(file.read_text()).body:
        if isinstance(node, ast.ClassDef) and node.name in names:
            for item in node.body:
                if isinstance(item, ast.Assign) and isinstance(item.value, ast.Constant):
                    yield str(item.value.value)


def immutable_tags(file: Path) -> set[str]:
    """The set IMMUTABLE_TAGS of ``mlflow/utils/mlflow_tags.py``."""
    assigned = {
        node.targets[0].id: node.value
        for node in ast.parse(file.read_text()).body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    immutable = assigned["IMMUTABLE_TAGS"]
    assert isinstance(immutable, ast.Set)
    return {str(ast.literal_eval(assigned[item.id])) for item in immutable.elts if isinstance(item, ast.Name)}


@pytest.mark.servers
def test_every_tag_of_server_is_judged(venv: Venv) -> None:
    (package,) = venv.path.glob("lib/python3*/site-packages/mlflow")

    keys = {
        *assigned_texts(package / "tracing/constant.py", "TraceTagKey", "TraceExperimentTagKey"),
        *immutable_tags(package / "utils/mlflow_tags.py"),
    }

    assert len(keys) >= 5
    assert keys - JUDGED - HARMLESS.keys() == set()
