"""Random settings are refused with a reason, or rendered to manifests that every schema accepts."""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from pydantic import ValidationError

from cdk8s_mlflow.settings import Settings
from cdk8s_mlflow.settings.error_messages import error_messages
from cdk8s_mlflow.synth.render import render
from cdk8s_mlflow.validation import validate
from tests.manifests.conftest import MINIMAL, merged
from tests.manifests.random_settings import documents, tried


def refused_or_problems(document: Mapping[str, Any], folder: Path) -> list[str]:
    """What is wrong with the manifests of ``document``, or with the reasons for which it is refused."""
    try:
        found = Settings.model_validate(document)
    except ValidationError as refused:
        return [f"{key}: {message}" for key, message in error_messages(refused) if not (key and message)]
    render(found, environment="random", folder=folder)
    return [f"{problem} from {document}" for problem in validate(folder)]


@tried(20)
@given(document=documents())
def test_random_settings_render_or_are_refused(document: Mapping[str, Any]) -> None:
    with TemporaryDirectory() as folder:
        problems = refused_or_problems(document, Path(folder))

    assert problems == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"server": {"resources": {"cpu_request": "3"}}}, "server.resources.cpu_request: is 3, more than"),
        ({"server": {"resources": {"memory_limit": "512M"}}}, "server.resources.memory_request: is 768Mi, more than"),
        ({"server": {"resources": {"cpu_limit": "2Gi"}}}, "more cores than any node has"),
        # In quantities m is a thousandth: 500m of memory is half a byte.
        ({"server": {"resources": {"memory_request": "1m", "memory_limit": "500m"}}}, "with which nothing starts"),
        ({"server": {"tmp_size": "100Mi"}}, "server.tmp_size: is 100Mi, less than the 256Mi"),
        (
            {"server": {"tolerations": ({"key": "a", "operator": "Exists", "value": "b"},)}},
            "server.tolerations[0].value: has no effect",
        ),
        ({"server": {"node_selector": {"pool": "a b"}}}, "server.node_selector.pool: must look like"),
        ({"monitoring": {"labels": {"team": "x" * 64}}}, "monitoring.labels.team: must look like"),
        # CloudNativePG takes 50, since it appends to the name.
        ({"database": {"cluster": "c" * 51}}, "database.cluster: has 51 characters"),
        (
            {
                "server": {
                    "sidecars": (
                        {"name": "a", "image": "a:1", "resources": {"disk_request": "1Gi", "disk_limit": "1M"}},
                    )
                }
            },
            "server.sidecars[0].resources.disk_request: is 1Gi",
        ),
    ],
)
def test_conflicting_resources_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Settings.model_validate(merged(MINIMAL, changes))

    assert message in "\n".join(f"{key}: {text}" for key, text in error_messages(refused.value))
