"""Text that is well formed and copied from the wrong place, so that it never works, each with what to write instead."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cdk8s_mlflow.settings.section import Conflict

if TYPE_CHECKING:
    from cdk8s_mlflow.settings.environment import EnvironmentSettings


@dataclass(frozen=True, slots=True)
class _Mistake:
    key: str
    pattern: str
    """Regular expression that finds it."""
    remedy: str
    """What it is, and what to do, after "is VALUE, "."""


_ANNOTATIONS = "server.service_account_annotations"

_MISTAKES = (
    _Mistake("authentication.keycloak_path", r"/(realms|admin)(/|$)", "which names more than the root; leave that out"),
    _Mistake("authentication.user_group", r"\*", "but a group is compared as it is written; name one group"),
    _Mistake("authentication.admin_group", r"\*", "but a group is compared as it is written; name one group"),
    _Mistake("authentication.provider_name", r"^\s*$", "which leaves the login button without a name; write one"),
    _Mistake("bootstrap.keycloak_url", r"/(realms|admin)(/|$)", "which names more than the root; leave that out"),
    _Mistake("bootstrap.postgres_host", r"://|@", "which is an address with more than the host; name only that"),
    _Mistake("bootstrap.postgres_host", r"^[^:]+:\d+$", "a host with a port; write that in bootstrap.postgres_port"),
    _Mistake("bootstrap.postgres_host", r"[\s,]", "but bootstrap.py connects to one host; name that"),
    _Mistake("bootstrap.postgres_database", r"://", "an address; name only the database"),
    _Mistake("bootstrap.kube_context", r"^[~/]|^\./", "a file; name a context, and the file in KUBECONFIG"),
    _Mistake("database.cluster", r"-(rw|ro|r)$", "the name of a Service; leave the ending out to name the Cluster"),
    _Mistake("backup.endpoint", r"\.blob\.core\.", "Azure Blob Storage, which speaks no S3; use any S3"),
    _Mistake("artifacts.kms_key", r"^key/", "but an ARN begins with arn:, and an id has no key/; leave that out"),
    _Mistake("delivery.repository", r"^oci://.*(:[^/:@]+$|@)", "which ends in a tag; name that in delivery.revision"),
    _Mistake("delivery.repository", r"/-?/?(tree|blob)/", "a page in a browser; name what `git clone` takes"),
    _Mistake("delivery.revision", r"^refs/(heads|tags)/", "but only the branch's name is compared; leave the rest out"),
    _Mistake("delivery.revision", r"^HEAD$", "which is a different branch in each clone; name the branch"),
    _Mistake("delivery.revision", r"^origin/", "which only your own clone has; name the branch without origin/"),
    _Mistake("delivery.revision", r"[\s~^:?*[\\]", "which no branch or tag is called; name one"),
    _Mistake("delivery.revision", r"^[0-9a-f]{40}$", "a commit; name the branch that holds it"),
    _Mistake("delivery.interval", r"^[0hms]+$", "which never ends; write how long, such as 10m"),
    _Mistake("delivery.retry_interval", r"^[0hms]+$", "which never ends; write how long, such as 2m"),
    _Mistake(
        "delivery.timeout", r"^([0hms]+|[1-5]?\ds)$", "in which nothing becomes ready; write how long, such as 15m"
    ),
    _Mistake("delivery.path", r"(^|/)\.{1,2}(/|$)", "but it begins at the repository's top; leave the dots out"),
    _Mistake("monitoring.interval", r"^[0hms]+$", "which Prometheus refuses; write how long, such as 30s"),
    _Mistake("monitoring.scrape_timeout", r"^[0hms]+$", "which Prometheus refuses; write how long, such as 10s"),
    _Mistake("ingress.host", r"\.svc(\.|$)", "a Service's name, which no browser resolves; name the public host"),
    _Mistake("ingress.more_hosts", r"\.svc(\.|$)", "a Service's name, which no browser resolves; name a public host"),
    _Mistake("ingress.entry_point", r"^:?\d+$", "a port; name Traefik's entry point, such as websecure"),
    _Mistake("network.cluster_domain", r"^svc\.", "but svc stands before the domain; leave it out"),
    _Mistake("secrets.refresh_interval", r"^[0hms]+$", "which copies once, so that no rotation arrives; write 1h"),
    _Mistake("secrets.vault_address", r"^[^?#]+//[^/]+/(v1|ui)(/|$)", "but the API's path is added; leave it out"),
    _Mistake("secrets.vault_mount", r"/(data|metadata)$", "the API's path of the mount; leave its ending out"),
    _Mistake("secrets.vault_prefix", r"^(data|metadata)/", "which is the API's path; leave its beginning out"),
    _Mistake("secrets.vault_auth_mount", r"^auth/", "but auth/ is added to it; leave that out"),
    _Mistake("server.ca_bundle.key", r"[^-._a-zA-Z0-9]", "but a key has only letters, digits, '-', '_' and '.'"),
    _Mistake(
        "server.node_selector.kubernetes.io/arch",
        r"^(?!(amd64|arm64)$)(?i:x86.64|x64|amd64|aarch64|arm64.*)$",
        "which no node is labelled with; write amd64 or arm64",
    ),
    _Mistake("server.node_selector.kubernetes.io/os", r"^(?!linux$)", "but the image runs on linux; write that"),
    _Mistake("server.node_selector.beta.kubernetes.io/os", r"^(?!linux$)", "but the image runs on linux; write that"),
    _Mistake(
        f"{_ANNOTATIONS}.kubernetes.io/enforce-mountable-secrets",
        r"^true$",
        "with which its pods may mount no Secret of ours; remove it",
    ),
    _Mistake(
        f"{_ANNOTATIONS}.eks.amazonaws.com/role-arn",
        r"^(?!arn:aws[a-z-]*:iam::\d{12}:role/.)",
        "which is no role; write arn:aws:iam::ACCOUNT:role/NAME",
    ),
    _Mistake(
        f"{_ANNOTATIONS}.iam.gke.io/gcp-service-account",
        r"^(?![a-z0-9-]+@[a-z0-9.:-]+\.iam\.gserviceaccount\.com$)",
        "which is no service account; write NAME@PROJECT.iam.gserviceaccount.com",
    ),
    _Mistake(
        f"{_ANNOTATIONS}.azure.workload.identity/client-id",
        r"^(?![0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$)",
        "which is no client id; write the identity's, eight digits, three times four and twelve",
    ),
)


def mistakes(settings: EnvironmentSettings) -> Iterator[Conflict]:
    """Dotted key and message for each text that was taken from the wrong place."""
    for mistake in _MISTAKES:
        value = _value(settings, mistake.key)
        listed = enumerate(value) if isinstance(value, tuple) else ()
        for key, text in ((mistake.key, value), *((f"{mistake.key}[{number}]", one) for number, one in listed)):
            if isinstance(text, str) and re.search(mistake.pattern, text):
                yield key, f"is {text!r}, {mistake.remedy}"
    yield from _several(settings)


def _value(settings: EnvironmentSettings, key: str) -> object:
    """What ``key`` leads to; the rest of it, dots included, is the key of a mapping."""
    found: object = settings
    parts = key.split(".")
    for number, part in enumerate(parts):
        if isinstance(found, Mapping):
            return found.get(".".join(parts[number:]))
        found = getattr(found, part, None)
    return found


def _several(settings: EnvironmentSettings) -> Iterator[Conflict]:
    """Text that is a mistake only beside another setting."""
    image, secrets, database, artifacts = settings.image, settings.secrets, settings.database, settings.artifacts
    first = image.repository.partition("/")[0]
    # A repository may have a dot in it; with the default registry it is rather a whole reference.
    if "." in first and "registry" not in image.model_fields_set:
        yield "image.repository", f"is {image.repository!r}, which begins with a registry; name that in image.registry"
    if secrets.vault_prefix.startswith(f"{secrets.vault_mount}/"):
        message = f"is {secrets.vault_prefix!r}, which begins with secrets.vault_mount; leave that out"
        yield "secrets.vault_prefix", message
    if database.host is None and database.port != 5432:
        message = f"is {database.port}, but the Cluster's Service listens on 5432; remove it, or name database.host"
        yield "database.port", message
    yield from _regions(settings)
    host = urlsplit(artifacts.endpoint or "").hostname or ""
    if artifacts.kind != "azure" and ".blob.core." in host:
        yield "artifacts.endpoint", f"is {artifacts.endpoint}, which is Azure; set artifacts.kind to azure"
    if artifacts.kind in ("minio", "gcs") and re.search(r"\.amazonaws\.com(\.cn)?$", host):
        yield "artifacts.endpoint", f"is {artifacts.endpoint}, which is AWS; set artifacts.kind to s3"
    if artifacts.kind == "minio" and re.search(r"(^|\.)storage\.googleapis\.com$", host):
        yield "artifacts.endpoint", f"is {artifacts.endpoint}, which is Google; set artifacts.kind to gcs"
    for name in ("severity", "mlflow_instance"):
        if name in settings.monitoring.alert_labels:
            yield f"monitoring.alert_labels.{name}", "has no effect, since each alert has its own; remove it"


def _regions(settings: EnvironmentSettings) -> Iterator[Conflict]:
    artifacts, backup = settings.artifacts, settings.backup
    regions = {
        "artifacts.region": artifacts.region if artifacts.is_aws else None,
        "backup.region": backup.region if artifacts.is_aws and backup.endpoint is None else None,
        "backup.cluster.region": backup.cluster.region if backup.cluster and backup.cluster.endpoint is None else None,
    }
    key_region = re.match(r"arn:aws[a-z-]*:kms:([a-z0-9-]+):", artifacts.kms_key or "")
    if key_region and artifacts.is_aws and key_region[1] != artifacts.region:
        yield (
            "artifacts.kms_key",
            f"is of {key_region[1]}, but artifacts.region is {artifacts.region}, and S3 takes only keys of its own; "
            "name one of those",
        )
    for key, region in regions.items():
        if region is None or re.fullmatch(r"[a-z]{2,4}(-[a-z]+)+-\d+", region):
            continue
        if re.fullmatch(r".*-\d[a-z]", region):
            yield key, f"is {region!r}, a zone; leave its letter out to name the region"
        else:
            yield key, f"is {region!r}, which AWS has not; write a region such as eu-west-1"
