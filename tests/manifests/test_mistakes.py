"""Text that was copied from the wrong place is refused by one line that names its key and says what to write."""

from typing import Any

import pytest
from pydantic import ValidationError

from cdk8s_mlflow.settings import Settings
from cdk8s_mlflow.settings.error_messages import error_messages
from tests.manifests.conftest import merged
from tests.manifests.objects import MINIMAL

AWS = {"kind": "s3", "endpoint": None}
REFUSED: list[tuple[str, Any, str]] = [
    ("authentication.keycloak_path", "/realms/mlflow", "names more than the root"),
    ("authentication.keycloak_path", "/auth/realms/mlflow", "names more than the root"),
    ("authentication.user_group", "*", "name one group"),
    ("authentication.admin_group", "admins-*", "name one group"),
    ("authentication.redis", {"host": "localhost"}, "the pod itself"),
    ("authentication.redis", {"host": "127.0.0.1"}, "the pod itself"),
    ("authentication.provider_name", "   ", "without a name"),
    ("bootstrap.keycloak_url", "https://auth.example.com/realms/mlflow", "names more than the root"),
    ("bootstrap.keycloak_url", "https://auth.example.com/admin/master/console/", "names more than the root"),
    ("bootstrap.postgres_host", "postgres://localhost", "more than the host"),
    ("bootstrap.postgres_host", "admin@localhost", "more than the host"),
    ("bootstrap.postgres_host", "localhost:5432", "bootstrap.postgres_port"),
    ("bootstrap.postgres_host", "a.example.com,b.example.com", "connects to one host"),
    ("bootstrap.postgres_database", "postgresql://db/postgres", "name only the database"),
    ("bootstrap.kube_context", "~/.kube/config", "a file"),
    ("bootstrap.kube_context", "./kubeconfig", "a file"),
    # The port of PgBouncer, whose Service is not the Cluster's.
    ("database.port", 6432, "listens on 5432"),
    ("database.cluster", "postgres-cluster-rw", "name of a Service"),
    ("database.cluster", "postgres-cluster-ro", "name of a Service"),
    ("artifacts.region", "eu-west-1a", "a zone"),
    ("artifacts.region", "eu", "which AWS has not"),
    ("artifacts.endpoint", "https://s3.eu-west-1.amazonaws.com", "set artifacts.kind to s3"),
    ("artifacts.endpoint", "https://s3.cn-north-1.amazonaws.com.cn", "set artifacts.kind to s3"),
    ("backup.region", "eu-west-1a", "a zone"),
    ("backup.cluster", {"target": "s3://backups", "region": "frankfurt"}, "which AWS has not"),
    ("artifacts.endpoint", "https://account.blob.core.windows.net", "set artifacts.kind to azure"),
    ("backup.endpoint", "https://account.blob.core.usgovcloudapi.net", "speaks no S3"),
    ("artifacts.kind", "GS", "names Google Cloud Storage; write gcs"),
    ("artifacts.kind", "Azure-Blob", "names Azure Blob Storage; write azure"),
    ("artifacts.kind", "swift", "must be minio, s3, azure or gcs"),
    ("artifacts.kms_key", "key/1234abcd", "has no key/"),
    ("delivery.repository", "https://github.com/a/b/tree/main/dist", "what `git clone` takes"),
    ("delivery.repository", "https://gitlab.com/a/b/-/blob/main/dist", "what `git clone` takes"),
    ("delivery.revision", "refs/heads/main", "only the branch's name"),
    ("delivery.revision", "origin/main", "without origin/"),
    ("delivery.revision", "main ", "no branch or tag"),
    ("delivery.revision", "release/*", "no branch or tag"),
    ("delivery.revision", "0123456789" * 4, "a commit"),
    ("delivery.interval", "0s", "write how long"),
    ("delivery.retry_interval", "0m", "write how long"),
    ("delivery.timeout", "0h0m", "write how long"),
    ("monitoring.latency_seconds", 2.5, "in quotes; got 2.5"),
    ("server.resources", {"cpu_limit": None}, "has no value, and may not be null"),
    ("server.replicas", None, "has no value, and may not be null"),
    ("secrets.vault_namespace", "team", "the variable VAULT_NAMESPACE"),
    ("monitoring.interval", "0s", "Prometheus refuses"),
    ("monitoring.scrape_timeout", "0s", "Prometheus refuses"),
    ("monitoring.alert_labels", {"severity": "page"}, "each alert has its own"),
    ("monitoring.alert_labels", {"mlflow_instance": "ml"}, "each alert has its own"),
    ("ingress.host", "mlflow.mlflow.svc", "no browser resolves"),
    ("ingress.host", "mlflow.mlflow.svc.cluster.local", "no browser resolves"),
    ("ingress.entry_point", "443", "a port"),
    ("ingress.entry_point", ":8443", "a port"),
    ("ingress.entry_point", "web", "without TLS"),
    ("image.repository", "ghcr.io/team/mlflow", "image.registry"),
    ("network.cluster_domain", "svc.cluster.local", "leave it out"),
    ("secrets.vault_address", "https://vault.example.com/v1", "API's path"),
    ("secrets.vault_address", "https://vault.example.com/ui/vault", "API's path"),
    ("secrets.vault_mount", "secret/data", "API's path"),
    ("secrets.vault_prefix", "data/mlflow", "API's path"),
    ("secrets.vault_prefix", "secret/data/mlflow", "begins with secrets.vault_mount"),
    ("secrets.vault_prefix", "secret/mlflow", "begins with secrets.vault_mount"),
    ("secrets.vault_auth_mount", "auth/kubernetes", "auth/ is added"),
    ("server.ca_bundle", {"name": "ca", "key": "certs/ca.crt"}, "has only letters"),
    # What ``uname -m`` says; Kubernetes has names of its own.
    ("server.node_selector", {"kubernetes.io/arch": "x86_64"}, "write amd64 or arm64"),
    ("server.node_selector", {"kubernetes.io/arch": "AMD64"}, "write amd64 or arm64"),
    ("server.node_selector", {"kubernetes.io/arch": "aarch64"}, "write amd64 or arm64"),
    ("server.node_selector", {"kubernetes.io/os": "Linux"}, "runs on linux"),
    ("server.node_selector", {"beta.kubernetes.io/os": "windows"}, "runs on linux"),
    ("server.service_account_annotations", {"kubernetes.io/enforce-mountable-secrets": "true"}, "no Secret of ours"),
    ("server.service_account_annotations", {"eks.amazonaws.com/role-arn": "mlflow"}, "role/NAME"),
    ("server.service_account_annotations", {"eks.amazonaws.com/role-arn": "arn:aws:iam::1:user/x"}, "role/NAME"),
    ("server.service_account_annotations", {"iam.gke.io/gcp-service-account": "mlflow"}, "no service account"),
    ("server.service_account_annotations", {"azure.workload.identity/client-id": "mlflow"}, "no client id"),
]
BESIDE: dict[str, dict[str, Any]] = {
    "monitoring.alert_labels": {"monitoring": {"rules": True}},
    "secrets.vault_auth_mount": {"secrets": {"vault_auth": "kubernetes"}},
    "ingress.host": {"delivery": {"repository": "https://git.acme.io/team/mlflow.git"}},
    "artifacts.region": {"artifacts": AWS},
    "artifacts.kind": {"artifacts": {"endpoint": "https://bucket.vpce-1a2b.s3.eu-west-1.vpce.amazonaws.com"}},
    "backup.endpoint": {"backup": {"target": "s3://backups"}},
    "backup.region": {"artifacts": AWS, "backup": {"target": "s3://backups"}},
    "artifacts.kms_key": {"artifacts": {**AWS, "encryption": "aws:kms"}},
}
TAKEN: list[tuple[str, Any]] = [
    ("artifacts.endpoint", "http://mlflow.minio.svc:9000"),
    ("artifacts.kind", "s3"),
    # The European Sovereign Cloud of AWS.
    ("artifacts.region", "eusc-de-east-1"),
    ("authentication.redis", {"host": "redis"}),
    ("bootstrap.kube_context", "arn:aws:eks:eu-west-1:1:cluster/a"),
    ("database.port", 5432),
    ("delivery.revision", "v1.2.3"),
    ("ingress.entry_point", "websecure443"),
    ("server.node_selector", {"kubernetes.io/arch": "arm64", "kubernetes.io/os": "linux"}),
    ("server.node_selector", {"kubernetes.io/arch": "amd64"}),
    ("authentication.keycloak_path", "/auth"),
    ("authentication.keycloak_path", "/realms-of-ours"),
    ("authentication.user_group", "teams/ml"),
    ("bootstrap.postgres_host", "::1"),
    # Leap years have this day.
    ("maintenance.garbage_collection_schedule", "0 0 29 2 *"),
    # In cron day and weekday are an "or": it runs on Mondays.
    ("maintenance.garbage_collection_schedule", "0 0 31 2 1"),
    # January, March and so on, of which some have this day.
    ("maintenance.garbage_collection_schedule", "0 0 31 */2 *"),
    ("bootstrap.postgres_host", "db.example.com"),
    ("database.cluster", "postgres-prod"),
    ("artifacts.region", "us-gov-west-1"),
    ("delivery.repository", "https://github.com/a/tree.git"),
    ("delivery.revision", "feature/a"),
    ("image.repository", "team/mlflow"),
    ("secrets.vault_address", "https://vault.example.com:8200"),
    ("secrets.vault_prefix", "teams/mlflow"),
    ("server.service_account_annotations", {"eks.amazonaws.com/role-arn": "arn:aws-cn:iam::123456789012:role/a/b"}),
    ("server.service_account_annotations", {"iam.gke.io/gcp-service-account": "a@p-1.iam.gserviceaccount.com"}),
    (
        "server.service_account_annotations",
        {"azure.workload.identity/client-id": "00000000-0000-4000-8000-00000000000a"},
    ),
]


def document(key: str, value: Any) -> dict[str, Any]:
    section, name = key.split(".")
    return merged(merged(MINIMAL, BESIDE.get(key, {})), {section: {name: value}})


@pytest.mark.parametrize(("key", "value", "message"), REFUSED, ids=str)
def test_copied_text_is_refused(key: str, value: Any, message: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Settings.model_validate(document(key, value))

    ((where, text),) = error_messages(refused.value)
    assert where.startswith(key)
    assert message in text


@pytest.mark.parametrize(("key", "value"), TAKEN, ids=str)
def test_text_like_it_is_taken(key: str, value: Any) -> None:
    assert Settings.model_validate(document(key, value))
