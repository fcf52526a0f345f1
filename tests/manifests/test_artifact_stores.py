"""S3 of AWS by an identity of the pod, and what cannot work is refused."""

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import ValidationError

from cdk8s_mlflow.contract import secret_templates
from cdk8s_mlflow.settings import Settings
from cdk8s_mlflow.settings.error_messages import error_messages
from tests.manifests.objects import MINIMAL, Objects, Render
from tests.manifests.refusals import refused

ROLE = {"service_account_annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::111122223333:role/mlflow"}}
AWS = {"kind": "s3", "endpoint": None}
# The addresses of the EKS Pod Identity agent (AWS documentation).
AGENT = [{"ipBlock": {"cidr": "169.254.170.23/32"}}, {"ipBlock": {"cidr": "fd00:ec2::23/128"}}]


def egress(objects: Objects, component: str) -> list[dict[str, Any]]:
    return list(objects["NetworkPolicy", "mlflow", f"mlflow-{component}"]["spec"]["egress"])


def variables(objects: Objects) -> dict[str, str]:
    (container,) = objects["Deployment", "mlflow", "mlflow"]["spec"]["template"]["spec"]["containers"]
    return {variable["name"]: variable.get("value", "") for variable in container["env"]}


@pytest.mark.parametrize("credentials", ["pod-identity", "service-account"])
def test_pod_identity_reaches_its_agent(rendered: Render, credentials: str) -> None:
    objects = rendered(artifacts={**AWS, "credentials": credentials})

    agents = {c: [r for r in egress(objects, c) if r["to"] == AGENT] for c in ("tracking-server", "maintenance")}
    assert all(rules == [{"to": AGENT, "ports": [{"port": 80, "protocol": "TCP"}]}] for rules in agents.values())
    assert not any(AGENT[0] in rule["to"] for rule in egress(objects, "migration"))


@pytest.mark.parametrize("changes", [{"credentials": "pod-identity"}, {"credentials": "service-account"}])
def test_identity_needs_no_keys(rendered: Render, changes: dict[str, str]) -> None:
    given = {"artifacts": {**AWS, **changes}, "server": ROLE}

    objects, settings = rendered(**given), Settings.model_validate({**MINIMAL, **given})

    assert "mlflow-s3-secret" not in {recipe.name for recipe in secret_templates(settings)}
    assert not any(name == "mlflow-s3-secret" for _, _, name in objects)
    assert not {"AWS_SHARED_CREDENTIALS_FILE", "MLFLOW_S3_ENDPOINT_URL"} & variables(objects).keys()
    account = objects["ServiceAccount", "mlflow", "mlflow"]
    assert account["metadata"]["annotations"].items() >= ROLE["service_account_annotations"].items()


def test_role_by_annotation_reaches_token_service(rendered: Render) -> None:
    given = {"artifacts": {**AWS, "credentials": "service-account"}, "server": ROLE}

    limited = egress(rendered(**given, network={"artifact_cidrs": ("10.1.0.0/16",)}), "tracking-server")

    to_bucket = [rule for rule in limited if rule["to"] == [{"ipBlock": {"cidr": "10.1.0.0/16"}}]]
    public = [rule for rule in limited if rule["to"][0].get("ipBlock", {}).get("cidr") == "0.0.0.0/0"]
    assert len(to_bucket) == 1
    assert [port["port"] for rule in public for port in rule["ports"]] == [443, 443]


REFUSED: Mapping[str, tuple[dict[str, Any], str, str]] = {
    "identity of MinIO": ({"artifacts": {"credentials": "pod-identity"}}, "artifacts.credentials", "MinIO does not"),
    "identity of another S3": (
        {"artifacts": {"kind": "s3", "credentials": "pod-identity"}},
        "artifacts.credentials",
        "only S3 of AWS",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_artifact_store_refuses_what_cannot_work(name: str) -> None:
    changes, key, message = REFUSED[name]

    assert message in refused(**changes)[key]


DIALECT: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "checksums": (
        {"checksums": "when_required"},
        {
            "AWS_REQUEST_CHECKSUM_CALCULATION": "when_required",
            "AWS_RESPONSE_CHECKSUM_VALIDATION": "when_required",
        },
    ),
    "addressing": ({"addressing": "path"}, {"MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE": "path"}),
    "encryption": (
        {"encryption": "aws:kms", "kms_key": "alias/mlflow"},
        {"MLFLOW_S3_UPLOAD_EXTRA_ARGS": '{"SSEKMSKeyId": "alias/mlflow", "ServerSideEncryption": "aws:kms"}'},
    ),
    "folder": ({"prefix": "team/ml"}, {"MLFLOW_ARTIFACTS_DESTINATION": "s3://mlflow/team/ml"}),
    "dots": (
        {"kind": "s3", "endpoint": None, "bucket": "ml.example.com"},
        {"MLFLOW_ARTIFACTS_DESTINATION": "s3://ml.example.com"},
    ),
}


@pytest.mark.parametrize("name", DIALECT)
def test_dialect_of_the_store_reaches_server_and_jobs(rendered: Render, name: str) -> None:
    changes, expected = DIALECT[name]

    objects = rendered(artifacts=changes)

    server = objects["Deployment", "mlflow", "mlflow"]["spec"]["template"]["spec"]["containers"][0]
    job = objects["CronJob", "mlflow", "mlflow-gc"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]
    for container in (server, job):
        variables = {variable["name"]: variable["value"] for variable in container["env"]}
        assert {key: variables.get(key) for key in expected} == expected


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"bucket": "a..b"}, "artifacts.bucket"),
        ({"bucket": "10.0.0.1"}, "artifacts.bucket"),
        ({"bucket": "a.-b"}, "artifacts.bucket"),
        ({"prefix": "/team"}, "artifacts.prefix"),
        ({"prefix": "team/"}, "artifacts.prefix"),
        ({"prefix": "team/../x"}, "artifacts.prefix"),
        ({"kms_key": "alias/a"}, "artifacts.kms_key: has no effect"),
        # A wildcard certificate does not cover a name with one more dot.
        ({"bucket": "a.b", "addressing": "virtual"}, "artifacts.addressing: is virtual"),
    ],
)
def test_store_settings_refuse_what_cannot_work(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Settings.model_validate({**MINIMAL, "artifacts": changes})

    assert message in "\n".join(f"{key}: {text}" for key, text in error_messages(refused.value))
