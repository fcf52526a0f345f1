"""What an operator asks of a real API server: to take every committed environment, and to drain a node."""

from pathlib import Path

import pytest
import yaml
from deployment import Deployment

from live.node.node import Node

pytestmark = [pytest.mark.servers, pytest.mark.either_release]

ROOT = Path(__file__).parents[2]
ENVIRONMENTS = sorted(path.name for path in (ROOT / "dist").iterdir() if path.is_dir())


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_api_server_accepts_committed_environments(node: Node, environment: str) -> None:
    folder = ROOT / "dist" / environment
    documents = [yaml.safe_load(file.read_text()) for file in sorted(folder.glob("*/*.yaml"))]
    for namespace in {d["metadata"].get("namespace") for d in documents} - {None}:
        # Two environments may have one namespace for their databases.
        node.kubectl("create", "namespace", namespace, check=False)

    said = node.kubectl(
        *("apply", "--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict", "--filename", "-"),
        stdin=yaml.safe_dump_all(documents),
    )

    assert len(said.splitlines()) == len(documents)


def test_drain_needs_its_documented_flag(deployment: Deployment, node: Node) -> None:
    # Pods without a controller are drained by force only.
    drain = ["drain", "node", "--dry-run=server", "--ignore-daemonsets", "--force"]
    only_ours = [f"--pod-selector={instance(deployment)}"]

    refused = node.kubectl(*drain, *only_ours, check=False)
    accepted = node.kubectl(*drain, *only_ours, "--delete-emptydir-data")

    assert "--delete-emptydir-data" in refused
    assert "evict" in accepted or "drained" in accepted


def instance(deployment: Deployment) -> str:
    return f"app.kubernetes.io/instance={deployment.settings.instance}"
