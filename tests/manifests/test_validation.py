"""The checks accept what is committed and refuse what an API server or a reviewer would."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from cdk8s_mlflow.validation import kubernetes_schemas, validate

ROOT = Path(__file__).parents[2]
Change = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize("environment", ["production", "current", "edge", "local", "openshift", "eks", "gateway"])
def test_what_is_committed_passes(environment: str) -> None:
    assert validate(ROOT / "dist" / environment) == []


def container(body: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = body["spec"]["template"]["spec"]["containers"][0]
    return found


def pod(body: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = body["spec"]["template"]["spec"]
    return found


DEPLOYMENT = "application/Deployment.mlflow.k8s.yaml"
SERVICE = "application/Service.mlflow.k8s.yaml"
DATABASE = "database/Database.mlflow.k8s.yaml"
MIRROR = "application/ExternalSecret.mlflow-oidc-config.k8s.yaml"
POLICY = "application/NetworkPolicy.mlflow-migration.k8s.yaml"

BROKEN: dict[str, tuple[str, Change, str]] = {
    "unknown core field": (DEPLOYMENT, lambda b: b["spec"].update(replica=2), "Kubernetes 1.27"),
    "wrong core type": (DEPLOYMENT, lambda b: b["spec"].update(replicas="2"), "Kubernetes 1.37"),
    "unknown custom field": (DATABASE, lambda b: b["spec"].update(owners="a"), "custom resource"),
    "missing custom field": (DATABASE, lambda b: b["spec"].pop("owner"), "custom resource"),
    "value out of an enumeration": (DATABASE, lambda b: b["spec"].update(ensure="maybe"), "custom resource"),
    "unknown kind": (DATABASE, lambda b: b.update(kind="Databases"), "no schema"),
    "privileged": (DEPLOYMENT, lambda b: container(b)["securityContext"].update(privileged=True), "Privileged"),
    "escalation": (
        DEPLOYMENT,
        lambda b: container(b)["securityContext"].pop("allowPrivilegeEscalation"),
        "Privilege Escalation",
    ),
    "capabilities kept": (DEPLOYMENT, lambda b: container(b)["securityContext"].pop("capabilities"), "Capabilities"),
    "capability added": (
        DEPLOYMENT,
        lambda b: container(b)["securityContext"]["capabilities"].update(add=["SYS_ADMIN"]),
        "Capabilities: more",
    ),
    "root": (DEPLOYMENT, lambda b: container(b)["securityContext"].update(runAsUser=0), "Non-root user"),
    "may be root": (DEPLOYMENT, lambda b: container(b)["securityContext"].update(runAsNonRoot=False), "Non-root"),
    "no seccomp": (
        DEPLOYMENT,
        lambda b: (
            container(b)["securityContext"].pop("seccompProfile"),
            pod(b)["securityContext"].pop("seccompProfile"),
        ),
        "Seccomp",
    ),
    "host network": (DEPLOYMENT, lambda b: pod(b).update(hostNetwork=True), "Host Namespaces"),
    "host path": (
        DEPLOYMENT,
        lambda b: pod(b)["volumes"].append({"name": "h", "hostPath": {"path": "/"}}),
        "Volume Types",
    ),
    "host port": (DEPLOYMENT, lambda b: container(b)["ports"][0].update(hostPort=80), "Host Ports"),
    "password in the environment": (
        DEPLOYMENT,
        lambda b: container(b)["env"].append({"name": "DB_PASSWORD", "value": "hunter2"}),
        "in plain sight",
    ),
    "password in a template": (
        MIRROR,
        lambda b: b["spec"]["target"]["template"]["data"].update(OIDC_CLIENT_SECRET="hunter2"),
        "instead of a placeholder",
    ),
    "private key": (
        DEPLOYMENT,
        lambda b: b["metadata"].update(annotations={"a": "-----BEGIN PRIVATE KEY-----"}),
        "looks like a key",
    ),
    "Secret that does not exist": (
        DEPLOYMENT,
        lambda b: pod(b)["volumes"][0]["secret"].update(secretName="other"),
        "nothing creates the Secret other",
    ),
    "renamed port": (SERVICE, lambda b: b["spec"]["ports"][1].update(name="prom"), "no selected Service has the port"),
    "selector of all": (
        SERVICE,
        lambda b: b["spec"].update(selector={"app.kubernetes.io/name": "mlflow"}),
        "its selector matches the pods of",
    ),
    "policy for all": (POLICY, lambda b: b["spec"].update(podSelector={}), "selects every pod"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_manifest_is_refused(case: str, tmp_path: Path) -> None:
    file, change, expected = BROKEN[case]
    # A copy, for the committed tree is that of all tests.
    for source in (ROOT / "dist" / "production").rglob("*.yaml"):
        target = tmp_path / source.relative_to(ROOT / "dist" / "production")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(source.read_text())
    body = copy.deepcopy(yaml.safe_load((tmp_path / file).read_text()))
    change(body)
    (tmp_path / file).write_text(yaml.safe_dump(body))

    assert expected in "\n".join(map(str, validate(tmp_path)))


CORE: dict[str, Change] = {
    "whole": lambda b: None,
    "unknown field": lambda b: b["spec"].update(replica=2),
    "wrong type": lambda b: b["spec"].update(replicas="2"),
    "missing field": lambda b: b["spec"].pop("selector"),
    "deep inside": lambda b: container(b)["ports"][0].pop("containerPort"),
}


@pytest.mark.parametrize("version", ["1.27", "1.33", kubernetes_validate.latest_version()])
@pytest.mark.parametrize("case", CORE)
def test_schemas_say_what_their_library_says(case: str, version: str) -> None:
    body = yaml.safe_load((ROOT / "dist" / "production" / DEPLOYMENT).read_text())
    CORE[case](body)

    try:
        kubernetes_validate.validate(body, version, strict=True)
        expected = None
    except kubernetes_validate.ValidationError as error:
        expected = error.message

    assert kubernetes_schemas._refused_now(body, version) == expected
    assert (expected is None) == (case == "whole")


def test_secret_with_data_is_refused(tmp_path: Path) -> None:
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}, "stringData": {"a": "b"}}
    (tmp_path / "a.yaml").write_text(yaml.safe_dump(body))

    assert [problem.check for problem in validate(tmp_path)] == ["no secret values"]


# Booleans of YAML 1.1, and octal numbers of one version of YAML each.
@pytest.mark.parametrize("value", ["yes", "on", "0123", "0o17"])
def test_ambiguous_yaml_text_is_refused(value: str, tmp_path: Path) -> None:
    text = f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  key: {value}\n"
    (tmp_path / "a.yaml").write_text(text)

    found = {problem.check for problem in validate(tmp_path)}
    assert "YAML versions" in found or any(check.startswith("Kubernetes") for check in found)
