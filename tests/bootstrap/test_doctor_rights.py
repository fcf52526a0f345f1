"""The rights that doctor lists: they suffice, and a missing one is named."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from doctor_lines import MANIFESTS, SETTINGS, look
from healthy_cluster import HealthyCluster, custom

from cdk8s_mlflow.settings import Settings
from mlflow_bootstrap.doctor.line import State
from mlflow_bootstrap.doctor.rights import rights, role_name, roles

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("kubeconfig")]


def test_doctor_needs_only_its_listed_rights(
    cluster: HealthyCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents = json.loads(roles(role_name(SETTINGS), rights(SETTINGS, MANIFESTS)))["items"]
    bindings = [_binding(role) for role in documents]
    account = custom("v1", "ServiceAccount", "doctor", "operators")
    # A ServiceAccount has none, and a server-side apply refuses unknown fields.
    del account["spec"]
    cluster.apply([account, *documents, *bindings])
    limited = cluster.server.account_kubeconfig(tmp_path / "kubeconfig", namespace="operators", name="doctor")
    monkeypatch.setenv("KUBECONFIG", str(limited))

    lines = look()

    assert {name: line for name, line in lines.items() if line.state is not State.OK} == {}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({}, {"instance": "staging", "namespace": "staging"}),
        ({}, {"instance": "second", "namespace": "mlflow", "name": "second"}),
        # Joined by dashes, namespace and instance would give one name for both.
        ({"instance": "bbb-ccc", "namespace": "aaa"}, {"instance": "ccc", "namespace": "aaa-bbb"}),
    ],
)
def test_doctor_roles_are_of_one_installation(first: dict[str, str], second: dict[str, str]) -> None:
    both = [Settings.model_validate({**SETTINGS.model_dump(exclude_unset=True), **more}) for more in (first, second)]

    named = [
        {
            (role["kind"], role["metadata"].get("namespace"), role["metadata"]["name"])
            for role in json.loads(roles(role_name(one), rights(one, MANIFESTS)))["items"]
        }
        for one in both
    ]

    assert all(named)
    assert not named[0] & named[1]


@pytest.mark.parametrize(
    "ingress",
    [
        {"more_middlewares": ("default-office@kubernetescrd",)},
        {"controller": "nginx"},
        {"controller": "other", "gateway": {"parents": ({"name": "public"},)}},
    ],
    ids=str,
)
def test_doctor_asks_nothing_of_foreign_routes(ingress: dict[str, Any]) -> None:
    given = SETTINGS.model_dump(exclude_unset=True)
    given["network"] = {"ingress_namespace": "edge"}
    routed = Settings.model_validate({**given, "ingress": {**given["ingress"], **ingress}})
    off = Settings.model_validate({**given, "ingress": {**given["ingress"], "enabled": False}})

    of_routes = {"networking.k8s.io", "gateway.networking.k8s.io", "traefik.io", "cert-manager.io"}
    assert of_routes & {right.group for right in rights(routed, MANIFESTS)}
    assert not of_routes & {right.group for right in rights(off, MANIFESTS) if right.namespace != off.namespace}
    assert (off.ingress.issuer, off.ingress.uses_middlewares) == (None, False)


def test_doctor_names_a_missing_right(cluster: HealthyCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    account = custom("v1", "ServiceAccount", "stranger", "operators")
    del account["spec"]
    cluster.apply([account])
    limited = cluster.server.account_kubeconfig(tmp_path / "kubeconfig", namespace="operators", name="stranger")
    monkeypatch.setenv("KUBECONFIG", str(limited))

    line = look("secret_store")["secret_store"]

    assert line.state is State.UNKNOWN
    assert "clustersecretstores/vault-secret-store (Forbidden)" in line.seen
    assert "doctor --rights" in line.do


def _binding(role: Mapping[str, Any]) -> dict[str, Any]:
    subject = {"kind": "ServiceAccount", "name": "doctor", "namespace": "operators"}
    return {
        "apiVersion": role["apiVersion"],
        "kind": f"{role['kind']}Binding",
        "metadata": role["metadata"],
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": role["kind"], "name": role["metadata"]["name"]},
        "subjects": [subject],
    }
