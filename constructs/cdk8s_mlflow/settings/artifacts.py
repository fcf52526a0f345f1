"""Where MLflow keeps artifacts."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, model_validator

from cdk8s_mlflow.settings.addresses import S3Endpoint
from cdk8s_mlflow.settings.instance import follows_instance
from cdk8s_mlflow.settings.section import Conflict, Section, matching

Bucket = Annotated[
    str,
    matching(
        r"(?![0-9]+(\.[0-9]+){3}$)(?!xn--)(?!.*(\.\.|\.-|-\.))[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]",
        "mlflow (3 to 63 lowercase letters, digits, '-' and '.', no address)",
    ),
]
"""Sources: Amazon S3 User Guide, "General purpose bucket naming rules"; Google, "Bucket naming requirements"."""

Folder = Annotated[
    str, matching(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}(/[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}){0,9}", "team/mlflow")
]

Location = Annotated[
    str,
    matching(
        r"(?!file:)[a-z][a-z0-9+.-]*:(//[A-Za-z0-9._@-]+(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*|(/[A-Za-z0-9_-][A-Za-z0-9._-]*)+)",
        "s3://other-bucket/models (a URI without file:, query and closing slash)",
    ),
]


_ACCOUNT = re.compile(
    r"https://(?P<host>[a-z0-9]{3,24}\.blob\.core\.(windows\.net|chinacloudapi\.cn|usgovcloudapi\.net))/?"
)
"""Source: Microsoft, "Storage account overview", storage account endpoints."""

_CONTAINER = re.compile(r"[a-z0-9](-?[a-z0-9]){2,62}")
"""Source: Microsoft, "Naming and referencing containers, blobs, and metadata"."""

_OF_S3 = ("region", "checksums", "addressing", "encryption", "kms_key", "versioned", "user", "policy")
"""Settings that Azure Blob Storage and Google Cloud Storage have no use for."""


def _kind(value: object) -> object:
    # Words of their own, since `must be minio, s3, azure or gcs` would not say which of them is meant.
    word = str(value).lower().replace("-", "").replace("_", "")
    if value != "gcs" and word in ("gcs", "gs", "google", "googlecloudstorage"):
        raise ValueError("names Google Cloud Storage; write gcs")
    if word in ("azureblob", "wasbs", "abfss"):
        raise ValueError("names Azure Blob Storage; write azure")
    return value


class ArtifactSettings(Section):
    """The bucket behind the artifact proxy, and the user that may use it."""

    kind: Annotated[Literal["minio", "s3", "azure", "gcs"], BeforeValidator(_kind)] = "minio"
    """MinIO, whose user and policy bootstrap.py creates, any other S3, Azure Blob Storage, or Google Cloud Storage."""

    endpoint: S3Endpoint | None = "http://minio.minio.svc:9000"
    """Address of the S3 API, null for AWS; of Azure that of the account, https://ACCOUNT.blob.core.windows.net; with
    kind gcs null by default, for Google's own, or a private one of it.
    """

    region: Annotated[str, matching(r"[a-z0-9-]{1,40}", "us-east-1")] = "us-east-1"
    """Region of the bucket; MinIO takes any."""

    bucket: Bucket = follows_instance("{instance}")
    """Bucket, or container of Azure, that holds artifacts and nothing else."""

    prefix: Folder | None = None
    """Folder of the bucket for artifacts, to which MinIO's policy is limited; unset for the whole bucket."""

    checksums: Literal["when_supported", "when_required"] = "when_supported"
    """When requests carry the newer checksum headers; when_required for an S3 that refuses them."""

    addressing: Literal["auto", "path", "virtual"] = "auto"
    """Whether the bucket stands in the path or in the host name of requests; auto is path for an endpoint of yours."""

    encryption: Literal["AES256", "aws:kms"] | None = None
    """Encryption that uploads ask for, if the bucket demands it; unset for the bucket's default."""

    kms_key: Annotated[str, matching(r"[A-Za-z0-9:/_-]{1,2048}", "a key's id, alias or ARN")] | None = None
    """Key of encryption aws:kms; unset for that of the account."""

    versioned: bool = False
    """Keep old object versions; set a lifecycle rule of your own, or they are kept for ever."""

    user: Annotated[str, matching(r"[A-Za-z0-9._-]{3,64}", "mlflow")] = follows_instance("{instance}")
    """Access key of the user that may use only this bucket; only of MinIO."""

    policy: Annotated[str, matching(r"[A-Za-z0-9._-]{1,128}", "mlflow-bucket")] = follows_instance("{instance}-bucket")
    """Name of the user's policy in MinIO."""

    allowed_locations: tuple[Location, ...] = ()
    """Prefixes of locations outside the bucket that all members may read and give to experiments and versions."""

    credentials: Literal["keys", "service-account", "pod-identity"] = "keys"
    """Keys from the secret store, a cloud identity by annotation of the ServiceAccount, or EKS Pod Identity."""

    @model_validator(mode="before")
    @classmethod
    def _without_minio(cls, given: object) -> object:
        """Google's own address is no setting, and the default is that of MinIO."""
        if isinstance(given, Mapping) and given.get("kind") == "gcs":
            return {"endpoint": None, **given}
        return given

    @property
    def second_user(self) -> str:
        """Access key of the user that MLflow logs in as while the password of ``user`` is renewed."""
        return f"{self.user}-rotation"

    @property
    def folder(self) -> str:
        """What the key of every artifact begins with: empty, or ``prefix`` with a slash."""
        return f"{self.prefix}/" if self.prefix else ""

    @property
    def destination(self) -> str:
        """Where the server stores artifacts."""
        place = f"{self.bucket}@{self.account_host}" if self.is_azure else self.bucket
        root = f"{'wasbs' if self.is_azure else 'gs' if self.is_gcs else 's3'}://{place}"
        return f"{root}/{self.prefix}" if self.prefix else root

    @property
    def is_azure(self) -> bool:
        """Whether a container of Azure Blob Storage takes the bucket's place."""
        return self.kind == "azure"

    @property
    def is_gcs(self) -> bool:
        """Whether the bucket is in Google Cloud Storage, and reached by its own API."""
        return self.kind == "gcs"

    @property
    def speaks_s3(self) -> bool:
        """Whether the server keeps artifacts in an S3."""
        return not self.is_azure and not self.is_gcs

    @property
    def account_host(self) -> str:
        """Host of the storage account; empty if ``endpoint`` names none."""
        found = _ACCOUNT.fullmatch(self.endpoint or "")
        return found["host"] if found else ""

    @property
    def upload_arguments(self) -> dict[str, str]:
        """What each upload asks for (boto3 documentation, ``S3Transfer.ALLOWED_UPLOAD_ARGS``)."""
        if self.encryption is None:
            return {}
        return {"ServerSideEncryption": self.encryption, **({"SSEKMSKeyId": self.kms_key} if self.kms_key else {})}

    @property
    def is_aws(self) -> bool:
        """Whether the bucket is in S3 of AWS itself."""
        return self.kind == "s3" and is_of_aws(self.endpoint)


def is_of_aws(endpoint: str | None) -> bool:
    """Whether an S3 endpoint is AWS's own, by its usual name, a private one, or by none."""
    return endpoint is None or (urlsplit(endpoint).hostname or "").endswith((".amazonaws.com", ".amazonaws.com.cn"))


def artifact_conflicts(artifacts: ArtifactSettings) -> Iterator[Conflict]:
    """What cannot hold together, by dotted key."""
    yield from _own_artifacts(artifacts)
    if artifacts.is_azure:
        yield from _azure_conflicts(artifacts)
        return
    if artifacts.is_gcs:
        yield from _gcs_conflicts(artifacts)
        return
    if "_" in artifacts.bucket:
        yield (
            "artifacts.bucket",
            f"is {artifacts.bucket}, but only buckets of Google have a '_' in their names; use '-'",
        )
    yield from _locations(artifacts)
    if artifacts.kind == "s3" and "endpoint" not in artifacts.model_fields_set:
        yield "artifacts.endpoint", "is required with artifacts.kind s3; give its address, or null for S3 of AWS"
    if artifacts.kind == "minio" and artifacts.endpoint is None:
        yield "artifacts.endpoint", "is required for MinIO; give its address, or set artifacts.kind to s3"
    if artifacts.kind == "minio" and artifacts.credentials != "keys":
        yield "artifacts.credentials", f"is {artifacts.credentials}, which MinIO does not know; use keys"
    elif artifacts.credentials != "keys" and not artifacts.is_aws:
        yield (
            "artifacts.credentials",
            f"is {artifacts.credentials}, which only S3 of AWS knows; set artifacts.endpoint to null, or use keys",
        )
    # A certificate for *.s3.example.com covers one label.
    if artifacts.addressing == "virtual" and "." in artifacts.bucket:
        yield (
            "artifacts.addressing",
            f"is virtual, but no certificate covers the dots of {artifacts.bucket} in a host name; use path",
        )


_CLIENTS = ("s3", "http", "https", "ftp")
"""Schemes of locations that the image has a client for, which needs no other key (MLflow's artifact repositories)."""


def _locations(artifacts: ArtifactSettings) -> Iterator[Conflict]:
    for location in artifacts.allowed_locations:
        if urlsplit(location).scheme not in _CLIENTS:
            yield (
                "artifacts.allowed_locations",
                f"names {location}, for which the server has no client and no key; copy the files into the bucket",
            )


def _own_artifacts(artifacts: ArtifactSettings) -> Iterator[Conflict]:
    for location in artifacts.allowed_locations:
        if f"{location}/".startswith(f"{artifacts.destination}/") or artifacts.destination.startswith(f"{location}/"):
            yield (
                "artifacts.allowed_locations",
                f"names {location}, which would open everybody's artifacts to every member; remove it: what lies in "
                "the bucket itself is served to who may read it",
            )


def _azure_conflicts(artifacts: ArtifactSettings) -> Iterator[Conflict]:
    if not artifacts.account_host:
        yield (
            "artifacts.endpoint",
            f"is {artifacts.endpoint or 'null'}, but Azure needs the account's own address; write "
            "https://ACCOUNT.blob.core.windows.net",
        )
    if not _CONTAINER.fullmatch(artifacts.bucket):
        yield (
            "artifacts.bucket",
            f"is {artifacts.bucket}, which no container is called; use 3 to 63 of a-z, 0-9 and single '-'",
        )
    yield from _of_s3(artifacts, place="storage account")
    for location in artifacts.allowed_locations:
        if (
            urlsplit(location).scheme != "wasbs"
            or urlsplit(location).netloc.rpartition("@")[2] != artifacts.account_host
        ):
            yield (
                "artifacts.allowed_locations",
                f"names {location}, but the server opens the account of artifacts.endpoint only; write "
                f"wasbs://CONTAINER@{artifacts.account_host or 'ACCOUNT.blob.core.windows.net'}/FOLDER",
            )


def _gcs_conflicts(artifacts: ArtifactSettings) -> Iterator[Conflict]:
    if artifacts.bucket.startswith("goog") or "google" in artifacts.bucket:
        yield "artifacts.bucket", f"is {artifacts.bucket}, but Google keeps such names for itself; choose another"
    yield from _of_s3(artifacts, place="bucket")
    for location in artifacts.allowed_locations:
        if urlsplit(location).scheme != "gs":
            yield (
                "artifacts.allowed_locations",
                f"names {location}, but the server has keys for Google Cloud Storage only; write gs://BUCKET/FOLDER",
            )


def _of_s3(artifacts: ArtifactSettings, *, place: str) -> Iterator[Conflict]:
    if artifacts.credentials == "pod-identity":
        yield "artifacts.credentials", "is pod-identity, which only S3 of AWS knows; use service-account, or keys"
    # Only what the file sets: the defaults are those of S3.
    for key in sorted(artifacts.model_fields_set.intersection(_OF_S3)):
        yield (
            f"artifacts.{key}",
            f"has no effect with artifacts.kind {artifacts.kind}; remove it, and set it in the {place}",
        )
