"""One rule of the checks a time, on the committed environment `current` with one thing broken."""

import copy
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from cdk8s_mlflow.validation import Manifest, ManifestProblem, read_manifests
from cdk8s_mlflow.validation.custom_resources import strict
from cdk8s_mlflow.validation.pod_security import pod_security_problems
from cdk8s_mlflow.validation.references import reference_problems
from cdk8s_mlflow.validation.secret_values import secret_value_problems
from cdk8s_mlflow.validation.waves import wave_problems

DIST = Path(__file__).parents[2] / "dist"
WAVE = "argocd.argoproj.io/sync-wave"
MIDDLEWARES = "traefik.ingress.kubernetes.io/router.middlewares"
Check = Callable[[Sequence[Manifest]], Iterable[ManifestProblem]]
Change = Callable[[dict[str, Any]], object]


@pytest.fixture(scope="module")
def current() -> list[Manifest]:
    return read_manifests(DIST / "current")


def found(check: Check, manifests: Sequence[Manifest], file: str, change: Change) -> list[str]:
    """What ``check`` says once the one object whose file starts with ``file`` is changed."""
    # The fixture is the whole module's.
    changed = copy.deepcopy(list(manifests))
    (body,) = (manifest.body for manifest in changed if manifest.file.startswith(file))
    change(body)
    return [str(problem) for problem in check(changed)]


def wave(number: int | None) -> Change:
    def change(body: dict[str, Any]) -> None:
        annotations = body["metadata"].setdefault("annotations", {})
        annotations.pop(WAVE, None)
        # Without the annotation Argo CD takes wave 0.
        annotations.update({} if number is None else {WAVE: str(number)})

    return change


def pod(body: dict[str, Any]) -> dict[str, Any]:
    spec: dict[str, Any] = body["spec"]["template"]["spec"]
    return spec


def container(body: dict[str, Any]) -> dict[str, Any]:
    first: dict[str, Any] = pod(body)["containers"][0]
    return first


LATE: dict[str, tuple[str, int | None, str]] = {
    "the namespace": ("application/Namespace", 0, "waits for Namespace mlflow-current"),
    "the service account": ("application/ServiceAccount", 1, "waits for ServiceAccount mlflow"),
    "a mounted Secret": ("application/ExternalSecret.mlflow-s3", 1, "waits for ExternalSecret mlflow-s3-secret"),
    "the role's password": ("database/ExternalSecret", None, "waits for ExternalSecret mlflow-current-db-role"),
    "a database": ("database/Database.mlflow-current-auth", 0, "waits for Database mlflow-current-auth"),
    "the migration": ("application/Job", 1, "waits for Job mlflow-db-migration-"),
}


@pytest.mark.parametrize("case", LATE)
def test_dependency_in_later_wave_is_refused(case: str, current: list[Manifest]) -> None:
    file, number, expected = LATE[case]

    assert expected in "\n".join(found(wave_problems, current, file, wave(number)))


def test_databases_may_not_wait_for_application(current: list[Manifest]) -> None:
    def password_of_the_application(body: dict[str, Any]) -> None:
        body["metadata"]["namespace"] = "mlflow-current"
        body["spec"]["passwordSecret"]["name"] = "mlflow-db-secret"

    problems = found(wave_problems, current, "database/DatabaseRole", password_of_the_application)

    assert any("which Flux applies after it" in problem for problem in problems)


@pytest.mark.parametrize("environment", ["production", "current", "edge", "local", "openshift", "eks", "gateway"])
def test_no_committed_object_waits_for_later_one(environment: str) -> None:
    assert list(wave_problems(read_manifests(DIST / environment))) == []


LOST: dict[str, tuple[str, Change, str]] = {
    "a Middleware": (
        "application/Ingress.mlflow.k8s",
        lambda b: b["metadata"]["annotations"].update({MIDDLEWARES: "a-b@kubernetescrd"}),
        "no Middleware a-b@kubernetescrd",
    ),
    "a backend": (
        "application/Service.mlflow.k8s",
        lambda b: b["metadata"].update(name="tracking"),
        "no Service mlflow with that port",
    ),
    "a Deployment's pods": (
        "application/Deployment.mlflow.k8s",
        lambda b: b["spec"]["selector"]["matchLabels"].update({"app.kubernetes.io/name": "other"}),
        "its selector matches no pod",
    ),
    "a budget's pods": (
        "application/PodDisruptionBudget",
        lambda b: b["spec"]["selector"]["matchLabels"].update({"app.kubernetes.io/name": "other"}),
        "its selector matches no pod",
    ),
    "a policy's pods": (
        "application/NetworkPolicy.mlflow-maintenance",
        lambda b: b["metadata"].update(namespace="elsewhere"),
        "its selector matches no pod",
    ),
}


@pytest.mark.parametrize("case", LOST)
def test_name_or_selector_that_leads_nowhere_is_refused(case: str, current: list[Manifest]) -> None:
    file, change, expected = LOST[case]

    assert expected in "\n".join(found(reference_problems, current, file, change))


def test_same_object_in_two_files_is_refused(current: list[Manifest]) -> None:
    twice = [*current, Manifest(file="application/again.yaml", body=current[0].body)]

    files = {problem.file for problem in reference_problems(twice) if "more than one file" in problem.message}
    assert files == {current[0].file, "application/again.yaml"}


UNCONFINED = {"type": "Unconfined"}
LOOSE: dict[str, tuple[Change, str]] = {
    "AppArmor": (lambda b: container(b)["securityContext"].update(appArmorProfile=UNCONFINED), "AppArmor"),
    "SELinux type": (lambda b: pod(b)["securityContext"].update(seLinuxOptions={"type": "spc_t"}), "SELinux"),
    "SELinux user": (lambda b: pod(b)["securityContext"].update(seLinuxOptions={"user": "root"}), "SELinux"),
    "HostProcess": (
        lambda b: container(b)["securityContext"].update(windowsOptions={"hostProcess": True}),
        "HostProcess",
    ),
    "seccomp of the pod": (lambda b: pod(b)["securityContext"].update(seccompProfile=UNCONFINED), "Seccomp: the pod's"),
    "probe of a host": (
        # The kubelet would ask it from the node's own network.
        lambda b: container(b)["livenessProbe"].update(httpGet={"port": 1, "host": "10.0.0.1"}),
        "Host Probes",
    ),
    "sysctl": (
        lambda b: pod(b)["securityContext"].update(sysctls=[{"name": "kernel.msgmax", "value": "1"}]),
        "Sysctls",
    ),
}


@pytest.mark.parametrize("case", LOOSE)
def test_pod_that_is_not_restricted_is_refused(case: str, current: list[Manifest]) -> None:
    change, expected = LOOSE[case]

    problems = found(pod_security_problems, current, "application/Deployment.mlflow.k8s", change)

    assert expected in "\n".join(problems)


def test_secret_as_environment_is_refused(current: list[Manifest]) -> None:
    def sources(body: dict[str, Any]) -> None:
        container(body)["envFrom"] = [{"secretRef": {"name": "logins"}}, {"configMapRef": {"name": "plain"}}]

    (problem,) = found(secret_value_problems, current, "application/Deployment.mlflow.k8s", sources)

    assert "Secret logins becomes variables" in problem


def test_nullable_field_refuses_unknown_fields() -> None:
    schema = strict({"type": "object", "nullable": True, "properties": {"a": {"type": "string"}}})

    check = jsonschema.Draft202012Validator(schema)
    assert check.is_valid(None)
    assert check.is_valid({"a": "b"})
    assert not check.is_valid({"b": "c"})
