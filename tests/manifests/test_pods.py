"""Which Secrets each pod mounts, and which port the probes ask."""

from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from cdk8s_mlflow.releases import RELEASES
from cdk8s_mlflow.settings.section import in_bytes
from tests.manifests.objects import Objects, Render, pod_specs

BUNDLE = {"server": {"ca_bundle": {"kind": "Secret", "name": "private-authority"}}}
SECRETS = {
    "mlflow": {
        "mlflow-db-secret",
        "mlflow-s3-secret",
        "mlflow-oidc-config",
        "mlflow-server-secret",
        "private-authority",
    },
    "wait-for-schema": {"mlflow-db-secret"},
    "migrate": {"mlflow-db-secret"},
    "gc": {"mlflow-db-secret", "mlflow-s3-secret", "private-authority"},
    "prune-sessions": {"mlflow-db-secret"},
}
"""By program: what it reads, and nothing else."""


def mounted(spec: dict[str, Any], container: dict[str, Any]) -> set[str]:
    """Names of the Secrets that a container sees."""
    secrets = {volume["name"]: volume["secret"]["secretName"] for volume in spec["volumes"] if "secret" in volume}
    return {secrets[mount["name"]] for mount in container["volumeMounts"] if mount["name"] in secrets}


@pytest.mark.parametrize("release", RELEASES)
def test_container_mounts_only_what_it_reads(rendered: Render, release: str) -> None:
    specs = pod_specs(rendered(release=release, **BUNDLE))

    found = {
        container["name"]: mounted(spec, container)
        for spec in specs
        for container in [*spec.get("initContainers", []), *spec["containers"]]
        if container["name"] in SECRETS
    }
    expected = SECRETS if release == "3.17.2" else {name: SECRETS[name] for name in SECRETS if name != "prune-sessions"}
    assert found == expected


@pytest.mark.parametrize("program", ["migrate", "prune-sessions"])
def test_pod_has_no_volume_of_others(rendered: Render, program: str) -> None:
    (spec,) = [
        spec for spec in pod_specs(rendered(release="3.17.2", **BUNDLE)) if spec["containers"][0]["name"] == program
    ]

    assert {volume["name"] for volume in spec["volumes"]} == {"secret-db", "tmp"}


def test_wait_for_schema_is_told_of_databases_only(rendered: Render) -> None:
    (spec,) = [spec for spec in pod_specs(rendered()) if spec.get("initContainers")]

    names = {variable["name"] for variable in spec["initContainers"][0]["env"]}

    assert not [name for name in names if name.startswith(("AWS_", "OIDC_CLIENT", "MLFLOW_S3"))]


def test_probes_ask_on_metrics_port(rendered: Render) -> None:
    (spec,) = [spec for spec in pod_specs(rendered()) if spec["containers"][0]["name"] == "mlflow"]
    server = spec["containers"][0]

    asked = [server[f"{name}Probe"]["httpGet"] for name in ("startup", "readiness", "liveness")]

    assert asked == [{"path": "/health", "port": "metrics"}] * 3


def test_server_is_told_its_limits(rendered: Render) -> None:
    given = {"minimum_transfer_rate": 0, "maximum_body_mebibytes": 64, "tmp_size": "16Gi", "workers": 2}
    (spec,) = [spec for spec in pod_specs(rendered(server=given)) if spec["containers"][0]["name"] == "mlflow"]

    variables = {variable["name"]: variable["value"] for variable in spec["containers"][0]["env"]}

    assert variables["MLFLOW_SSO_MINIMUM_TRANSFER_RATE"] == "0"
    assert variables["MLFLOW_SSO_MAXIMUM_BODY_SIZE"] == str(64 << 20)
    assert variables["MLFLOW_SSO_TEMPORARY_SPACE"] == str(7 << 30)


def test_private_networks_of_both_families_are_trusted(rendered: Render) -> None:
    (spec,) = [spec for spec in pod_specs(rendered(release="3.17.2")) if spec["containers"][0]["name"] == "mlflow"]
    variables = {variable["name"]: variable["value"] for variable in spec["containers"][0]["env"]}

    trusted = [ip_network(text) for text in variables["TRUSTED_PROXIES"].split(",")]

    for proxy in ("10.42.0.7", "172.20.1.1", "192.168.9.9", "fd42::7"):
        assert any(ip_address(proxy) in network for network in trusted), proxy
    assert not any(network.is_global for network in trusted)


@pytest.mark.parametrize(
    ("quantity", "size"), [("4Gi", 4 << 30), ("1.5Ki", 1536), ("2", 2), ("500m", 1), ("3k", 3000), ("1T", 10**12)]
)
def test_quantity_is_read_in_bytes(quantity: str, size: int) -> None:
    assert in_bytes(quantity) == size


def test_every_container_may_do_the_least(committed: Mapping[str, Objects]) -> None:
    specs = [spec for objects in committed.values() for spec in pod_specs(objects)]
    containers = [one for spec in specs for one in [*spec.get("initContainers", []), *spec["containers"]]]

    assert all(spec["automountServiceAccountToken"] is False for spec in specs)
    assert all(spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"} for spec in specs)
    assert len(containers) > len(committed)
    for container in containers:
        security = container["securityContext"]
        assert security["readOnlyRootFilesystem"] is True, container["name"]
        assert security["allowPrivilegeEscalation"] is False, container["name"]
        assert security["capabilities"] == {"drop": ["ALL"]}, container["name"]
        assert not security.get("privileged"), container["name"]
