"""What another installation says and what changes nothing here is left out of the imported environment."""

from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from cdk8s_mlflow.console import app

VALUES = """
serviceMonitor: {enabled: true, interval: 45s, namespace: prometheus}
podAnnotations: {cluster-autoscaler.kubernetes.io/safe-to-evict: "true", example.com/team: ml}
deploymentAnnotations: {example.com/a: b}
"""


@pytest.mark.parametrize("hosts", [(), ("--mlflow-host", "a.example.org", "--keycloak-host", "b.example.org")])
def test_import_leaves_out_what_has_no_effect(tmp_path: Path, hosts: tuple[str, ...]) -> None:
    file = tmp_path / "values.yaml"
    file.write_text(VALUES)

    result = CliRunner().invoke(
        app, ["import-values", str(file), "--environments", str(tmp_path), "--name", "idle", *hosts]
    )

    written = yaml.safe_load((tmp_path / "idle.yaml").read_text())
    assert written["pods"] == {"annotations": {"example.com/team": "ml"}}
    assert written["monitoring"]["interval"] == "45s"
    assert "left out: pods.annotations.cluster-autoscaler.kubernetes.io/safe-to-evict: has no effect" in result.output
    assert ("to do: " in result.output) == (not hosts)
