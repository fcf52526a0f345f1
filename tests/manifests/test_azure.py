"""Artifacts in Azure Blob Storage: what server, jobs, Secrets and policies get, and what cannot work is refused."""

from collections.abc import Mapping
from typing import Any

import pytest

from cdk8s_mlflow.contract import secret_templates
from cdk8s_mlflow.settings import Settings
from tests.manifests.objects import MINIMAL, Objects, Render
from tests.manifests.refusals import refused

HOST = "exampleaccount.blob.core.windows.net"
AZURE: dict[str, Any] = {"kind": "azure", "endpoint": f"https://{HOST}", "bucket": "artifacts"}
IDENTITY: dict[str, Any] = {
    "artifacts": {**AZURE, "credentials": "service-account"},
    "server": {
        "service_account_annotations": {"azure.workload.identity/client-id": "00000000-0000-4000-8000-00000000000a"}
    },
}
KEY_FILE = "/var/run/secrets/mlflow/azure/AZURE_STORAGE_ACCESS_KEY"


def templates(objects: Objects) -> dict[str, dict[str, Any]]:
    """Pod templates by component."""
    found = {}
    for (kind, _, _), item in objects.items():
        if kind in ("Deployment", "Job", "CronJob"):
            spec = item["spec"]["jobTemplate"]["spec"] if kind == "CronJob" else item["spec"]
            template = spec["template"]
            found[template["metadata"]["labels"]["app.kubernetes.io/component"]] = template
    return found


def variables(template: Mapping[str, Any]) -> dict[str, str]:
    (container,) = template["spec"]["containers"]
    return {variable["name"]: variable.get("value", "") for variable in container["env"]}


def volumes(template: Mapping[str, Any]) -> dict[str, str]:
    return {v["name"]: v["secret"]["secretName"] for v in template["spec"]["volumes"] if "secret" in v}


def test_account_key_reaches_server_and_jobs_of_artifacts(rendered: Render) -> None:
    found = templates(rendered(artifacts={**AZURE, "prefix": "team"}))

    for component in ("tracking-server", "maintenance"):
        given = variables(found[component])
        assert given["MLFLOW_ARTIFACTS_DESTINATION"] == f"wasbs://artifacts@{HOST}/team"
        assert given["MLFLOW_SSO_BLOB_KEY_FILE"] == KEY_FILE
        assert not [name for name in given if name.startswith(("AWS_", "MLFLOW_S3_"))]
        assert volumes(found[component])["secret-azure"] == "mlflow-azure-secret"
    assert "secret-azure" not in volumes(found["migration"])


def test_account_secret_has_only_the_key() -> None:
    settings = Settings.model_validate({**MINIMAL, "artifacts": AZURE})

    by_name = {template.name: template for template in secret_templates(settings)}

    assert "mlflow-s3-secret" not in by_name
    secret = by_name["mlflow-azure-secret"]
    assert (secret.entry, secret.fields) == ("azure", ("account_key",))
    assert secret.render({"account_key": "a key"}) == {"AZURE_STORAGE_ACCESS_KEY": "a key"}


def test_workload_identity_marks_pods_of_artifacts(rendered: Render) -> None:
    objects = rendered(**IDENTITY)

    found = templates(objects)
    marked = {name for name, t in found.items() if t["metadata"]["labels"].get("azure.workload.identity/use") == "true"}
    assert marked == {"tracking-server", "maintenance"}
    assert not any(name == "mlflow-azure-secret" for _, _, name in objects)
    assert "MLFLOW_SSO_BLOB_KEY_FILE" not in variables(found["tracking-server"])
    account = objects["ServiceAccount", "mlflow", "mlflow"]
    assert account["metadata"]["annotations"]["azure.workload.identity/client-id"].startswith("00000000-")


def test_account_is_reached_by_https(rendered: Render) -> None:
    objects = rendered(artifacts=AZURE)

    egress = objects["NetworkPolicy", "mlflow", "mlflow-maintenance"]["spec"]["egress"]
    assert [port["port"] for rule in egress for port in rule["ports"] if "ipBlock" in rule["to"][0]] == [443]


def test_identity_beside_private_account_reaches_entra(rendered: Render) -> None:
    objects = rendered(**IDENTITY, network={"artifact_cidrs": ("10.1.0.0/16",)})

    egress = objects["NetworkPolicy", "mlflow", "mlflow-maintenance"]["spec"]["egress"]
    blocks = [rule["to"][0]["ipBlock"]["cidr"] for rule in egress if "ipBlock" in rule["to"][0]]
    assert blocks == ["10.1.0.0/16", "0.0.0.0/0"]


def test_dumps_go_to_named_s3_with_region(rendered: Render) -> None:
    backup = {"target": "s3://dumps/mlflow", "endpoint": "https://s3.example.com"}

    given = variables(templates(rendered(artifacts=AZURE, backup=backup))["backup"])

    assert given["MLFLOW_SSO_BACKUP_S3_ENDPOINT_URL"] == "https://s3.example.com"
    assert given["MLFLOW_SSO_BACKUP_REGION"] == "us-east-1"
    assert "MLFLOW_SSO_BLOB_KEY_FILE" not in given


@pytest.mark.parametrize("host", ["blob.core.windows.net", "blob.core.chinacloudapi.cn", "blob.core.usgovcloudapi.net"])
def test_account_of_each_cloud_is_taken(host: str) -> None:
    # The account may be called as the container is.
    artifacts = {**AZURE, "endpoint": f"https://artifacts.{host}"}

    settings = Settings.model_validate({**MINIMAL, "artifacts": artifacts})

    assert settings.artifacts.destination == f"wasbs://artifacts@artifacts.{host}"


REFUSED: Mapping[str, tuple[dict[str, Any], str, str]] = {
    "no account": ({"endpoint": None}, "artifacts.endpoint", "https://ACCOUNT.blob.core.windows.net"),
    "default of MinIO": (
        {"endpoint": "http://minio.minio.svc:9000"},
        "artifacts.endpoint",
        "the account's own address",
    ),
    "data lake": ({"endpoint": "https://a12.dfs.core.windows.net"}, "artifacts.endpoint", "the account's own address"),
    "dots": ({"bucket": "a.b.c"}, "artifacts.bucket", "no container"),
    "two dashes": ({"bucket": "a--b"}, "artifacts.bucket", "no container"),
    "pod identity": ({"credentials": "pod-identity"}, "artifacts.credentials", "only S3 of AWS"),
    "region": ({"region": "westeurope"}, "artifacts.region", "has no effect with artifacts.kind azure"),
    "versions": ({"versioned": True}, "artifacts.versioned", "has no effect with artifacts.kind azure"),
    "encryption": ({"encryption": "AES256"}, "artifacts.encryption", "has no effect with artifacts.kind azure"),
    "user": ({"user": "mlflow"}, "artifacts.user", "has no effect with artifacts.kind azure"),
    "everybody's artifacts": (
        {"allowed_locations": (f"wasbs://artifacts@{HOST}/1",)},
        "artifacts.allowed_locations",
        "every member",
    ),
    "the container": (
        {"prefix": "ml", "allowed_locations": (f"wasbs://artifacts@{HOST}",)},
        "artifacts.allowed_locations",
        "every member",
    ),
    "S3 beside": ({"allowed_locations": ("s3://old/x",)}, "artifacts.allowed_locations", "the account of artifacts"),
    "another account": (
        {"allowed_locations": ("wasbs://a@other.blob.core.windows.net/x",)},
        "artifacts.allowed_locations",
        "the account of artifacts",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_azure_refuses_what_cannot_work(name: str) -> None:
    changes, key, said = REFUSED[name]

    assert said in refused(artifacts={**AZURE, **changes})[key]


OTHERS: Mapping[str, tuple[dict[str, Any], str, str]] = {
    "dumps in Azure": ({"artifacts": AZURE, "backup": {"target": "s3://dumps"}}, "backup.endpoint", "is required"),
    "identity without client": (
        {"artifacts": {**AZURE, "credentials": "service-account"}},
        "server.service_account_annotations",
        "azure.workload.identity/client-id",
    ),
    "address of bootstrap": (
        {"artifacts": AZURE, "bootstrap": {"s3_endpoint": "https://s3.example.com"}},
        "bootstrap.s3_endpoint",
        "has no effect",
    ),
    "blobs beside S3": (
        {"artifacts": {"allowed_locations": (f"wasbs://a@{HOST}/x",)}},
        "artifacts.allowed_locations",
        "no client",
    ),
    "kind of another": ({"artifacts": {"endpoint": f"https://{HOST}"}}, "artifacts.endpoint", "kind to azure"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_settings_beside_azure_are_refused(name: str) -> None:
    changes, key, said = OTHERS[name]

    assert said in refused(**changes)[key]


def test_location_in_own_account_is_allowed() -> None:
    location = f"wasbs://old@{HOST}/models"

    settings = Settings.model_validate({**MINIMAL, "artifacts": {**AZURE, "allowed_locations": (location,)}})

    assert settings.artifacts.allowed_locations == (location,)
