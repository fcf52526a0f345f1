"""Artifacts in Google Cloud Storage: what server, jobs, Secrets and policies get, and what cannot work is refused."""

from collections.abc import Mapping
from typing import Any

import pytest

from cdk8s_mlflow.contract import secret_templates
from cdk8s_mlflow.settings import Settings, servers
from cdk8s_mlflow.settings.extra_environment import refusal
from tests.manifests.objects import MINIMAL, Objects, Render
from tests.manifests.refusals import refused
from tests.manifests.test_azure import templates, variables, volumes

GCS: dict[str, Any] = {"kind": "gcs", "bucket": "artifacts"}
IDENTITY: dict[str, Any] = {"artifacts": {**GCS, "credentials": "service-account"}}
KEY_FILE = "/var/run/secrets/mlflow/gcs/key.json"


def blocks(objects: Objects) -> list[tuple[str, list[int]]]:
    """Networks and ports that maintenance may reach, beside pods."""
    egress = objects["NetworkPolicy", "mlflow", "mlflow-maintenance"]["spec"]["egress"]
    return [
        (rule["to"][0]["ipBlock"]["cidr"], [port["port"] for port in rule["ports"]])
        for rule in egress
        if "ipBlock" in rule["to"][0]
    ]


def test_key_reaches_server_and_jobs_of_artifacts(rendered: Render) -> None:
    found = templates(rendered(artifacts={**GCS, "prefix": "team"}))

    for component in ("tracking-server", "maintenance"):
        given = variables(found[component])
        assert given["MLFLOW_ARTIFACTS_DESTINATION"] == "gs://artifacts/team"
        assert given["MLFLOW_SSO_GCS_KEY_FILE"] == KEY_FILE
        assert "MLFLOW_SSO_GCS_IDENTITY" not in given
        assert not [name for name in given if name.startswith(("AWS_", "MLFLOW_S3_"))]
        assert volumes(found[component])["secret-gcs"] == "mlflow-gcs-secret"
    assert "secret-gcs" not in volumes(found["migration"])


def test_secret_has_key_as_google_writes_it() -> None:
    settings = Settings.model_validate({**MINIMAL, "artifacts": GCS})

    by_name = {template.name: template for template in secret_templates(settings)}

    assert not by_name.keys() & {"mlflow-s3-secret", "mlflow-azure-secret"}
    secret = by_name["mlflow-gcs-secret"]
    assert (secret.entry, secret.fields) == ("gcs", ("service_account_key",))
    key = '{\n  "type": "service_account",\n  "private_key": "-----BEGIN\\n"\n}\n'
    assert secret.render({"service_account_key": key}) == {"key.json": key}


def test_identity_needs_no_secret(rendered: Render) -> None:
    # An annotation is for an account of Google; without one the role is given to the ServiceAccount itself.
    objects = rendered(**IDENTITY)

    given = variables(templates(objects)["tracking-server"])
    assert given["MLFLOW_SSO_GCS_IDENTITY"] == "true"
    assert "MLFLOW_SSO_GCS_KEY_FILE" not in given
    assert not any(name == "mlflow-gcs-secret" for _, _, name in objects)


def test_google_is_default_address(rendered: Render) -> None:
    objects = rendered(artifacts=GCS)

    assert "MLFLOW_SSO_GCS_ENDPOINT" not in variables(templates(objects)["tracking-server"])
    assert blocks(objects) == [("0.0.0.0/0", [443])]


def test_identity_reaches_metadata_server(rendered: Render) -> None:
    objects = rendered(**IDENTITY, network={"artifact_cidrs": ("10.1.0.0/16",)})

    assert blocks(objects) == [
        ("10.1.0.0/16", [443]),
        ("169.254.169.252/32", [987, 988]),
        ("169.254.169.254/32", [80, 8080]),
    ]


def test_key_beside_private_bucket_reaches_token_service(rendered: Render) -> None:
    objects = rendered(artifacts=GCS, network={"artifact_cidrs": ("10.1.0.0/16",)})

    assert blocks(objects) == [("10.1.0.0/16", [443]), ("0.0.0.0/0", [443])]


def test_endpoint_reaches_programs_and_policy(rendered: Render) -> None:
    endpoint = "http://fake-gcs.storage.svc:4443"

    objects = rendered(artifacts={**GCS, "endpoint": endpoint})

    assert variables(templates(objects)["maintenance"])["MLFLOW_SSO_GCS_ENDPOINT"] == endpoint
    egress = objects["NetworkPolicy", "mlflow", "mlflow-maintenance"]["spec"]["egress"]
    named = {"kubernetes.io/metadata.name": "storage"}
    (rule,) = [rule for rule in egress if rule["to"][0].get("namespaceSelector", {}).get("matchLabels") == named]
    assert 4443 in [port["port"] for port in rule["ports"]]


@pytest.mark.parametrize("endpoint", [None, "https://storage.googleapis.com"])
def test_dumps_go_to_named_s3(rendered: Render, endpoint: str | None) -> None:
    # Google's own address is one of an S3 too, for dumps.
    backup = {"target": "s3://dumps/mlflow", "endpoint": "https://storage.googleapis.com"}

    objects = rendered(artifacts={**GCS, "endpoint": endpoint}, backup=backup)

    given = variables(templates(objects)["backup"])
    assert given["MLFLOW_SSO_BACKUP_S3_ENDPOINT_URL"] == "https://storage.googleapis.com"
    assert given["MLFLOW_SSO_BACKUP_REGION"] == "us-east-1"
    assert not [name for name in given if name in ("MLFLOW_SSO_GCS_KEY_FILE", "MLFLOW_SSO_GCS_IDENTITY")]


@pytest.mark.parametrize(
    "other",
    [
        {"kind": "gcs", "endpoint": "https://storage-example.p.googleapis.com"},
        {"kind": "s3", "endpoint": "https://storage.googleapis.com"},
    ],
)
def test_google_is_one_store_by_every_address(other: dict[str, Any]) -> None:
    one, two = (Settings.model_validate({**MINIMAL, "artifacts": artifacts}) for artifacts in (GCS, other))

    assert servers.object_store(one) == servers.object_store(two)


REFUSED: Mapping[str, tuple[dict[str, Any], str, str]] = {
    "pod identity": ({"credentials": "pod-identity"}, "artifacts.credentials", "only S3 of AWS"),
    "region": ({"region": "europe-west1"}, "artifacts.region", "has no effect with artifacts.kind gcs"),
    "checksums": ({"checksums": "when_required"}, "artifacts.checksums", "has no effect with artifacts.kind gcs"),
    "addressing": ({"addressing": "path"}, "artifacts.addressing", "has no effect with artifacts.kind gcs"),
    "versions": ({"versioned": True}, "artifacts.versioned", "set it in the bucket"),
    "encryption": ({"encryption": "AES256"}, "artifacts.encryption", "set it in the bucket"),
    "user": ({"user": "mlflow"}, "artifacts.user", "has no effect with artifacts.kind gcs"),
    "name of Google": ({"bucket": "my-google-models"}, "artifacts.bucket", "keeps such names for itself"),
    "AWS": ({"endpoint": "https://s3.eu-west-1.amazonaws.com"}, "artifacts.endpoint", "set artifacts.kind to s3"),
    "Azure": (
        {"endpoint": "https://a12.blob.core.windows.net"},
        "artifacts.endpoint",
        "set artifacts.kind to azure",
    ),
    "plain": ({"endpoint": "http://storage.example.com"}, "artifacts.endpoint", "must start with https://"),
    "everybody's artifacts": (
        {"allowed_locations": ("gs://artifacts/1",)},
        "artifacts.allowed_locations",
        "every member",
    ),
    "the bucket": (
        {"prefix": "ml", "allowed_locations": ("gs://artifacts",)},
        "artifacts.allowed_locations",
        "every member",
    ),
    "S3 beside": ({"allowed_locations": ("s3://old/x",)}, "artifacts.allowed_locations", "write gs://BUCKET/FOLDER"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_gcs_refuses_what_cannot_work(name: str) -> None:
    changes, key, said = REFUSED[name]

    assert said in refused(artifacts={**GCS, **changes})[key]


OTHERS: Mapping[str, tuple[dict[str, Any], str, str]] = {
    "dumps in Google": ({"artifacts": GCS, "backup": {"target": "s3://dumps"}}, "backup.endpoint", "is required"),
    "dumps beside artifacts": (
        {
            "artifacts": GCS,
            "backup": {"target": "s3://artifacts/dumps", "endpoint": "https://storage.googleapis.com"},
        },
        "backup.target",
        "users of MLflow may read",
    ),
    "address of bootstrap": (
        {"artifacts": GCS, "bootstrap": {"s3_endpoint": "https://s3.example.com"}},
        "bootstrap.s3_endpoint",
        "has no effect",
    ),
    "kind of another": (
        {"artifacts": {"endpoint": "https://storage.googleapis.com"}},
        "artifacts.endpoint",
        "set artifacts.kind to gcs",
    ),
    "name of Google elsewhere": ({"artifacts": {"bucket": "ml_artifacts"}}, "artifacts.bucket", "use '-'"),
    "account of Google": (
        {**IDENTITY, "server": {"service_account_annotations": {"iam.gke.io/gcp-service-account": "mlflow"}}},
        "server.service_account_annotations.iam.gke.io/gcp-service-account",
        "is no service account",
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_settings_beside_gcs_are_refused(name: str) -> None:
    changes, key, said = OTHERS[name]

    assert said in refused(**changes)[key]


def test_other_bucket_of_google_is_allowed() -> None:
    artifacts = {**GCS, "bucket": "ml_artifacts", "allowed_locations": ("gs://old_models/2024",)}

    settings = Settings.model_validate({**MINIMAL, "artifacts": artifacts})

    assert settings.artifacts.destination == "gs://ml_artifacts"
    assert settings.artifacts.allowed_locations == ("gs://old_models/2024",)


@pytest.mark.parametrize(
    ("variable", "setting"),
    [
        ("GOOGLE_APPLICATION_CREDENTIALS", "artifacts.credentials"),
        ("GOOGLE_CLOUD_PROJECT", "artifacts.credentials"),
        ("GCE_METADATA_HOST", "artifacts.credentials"),
        ("STORAGE_EMULATOR_HOST", "artifacts.endpoint"),
        ("MLFLOW_GCS_UPLOAD_CHUNK_SIZE", "chunks and timeouts are the server's own"),
    ],
)
def test_variables_of_google_are_refused(variable: str, setting: str) -> None:
    assert setting in refusal(variable, "3.17.2")
