"""Where MLflow keeps artifacts."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BeforeValidator

from cdk8s_mlflow.settings.addresses import S3Endpoint
from cdk8s_mlflow.settings.instance import follows_instance
from cdk8s_mlflow.settings.section import Conflict, Section, matching

Bucket = Annotated[
    str,
    matching(
        r"(?![0-9]+(\.[0-9]+){3}$)(?!xn--)(?!.*(\.\.|\.-|-\.))[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]",
        "mlflow (3 to 63 lowercase letters, digits, '-' and '.', no address)",
    ),
]
"""Source: Amazon S3 User Guide, "General purpose bucket naming rules"."""

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


_OTHER_STORES = {
    "gcs": "Google Cloud Storage",
    "gs": "Google Cloud Storage",
    "azure": "Azure Blob Storage",
    "azureblob": "Azure Blob Storage",
    "wasbs": "Azure Blob Storage",
}


def _kind(value: object) -> object:
    # A word of its own, since `must be minio or s3` would not say that these never work.
    store = _OTHER_STORES.get(str(value).lower().replace("-", "").replace("_", ""))
    if store:
        raise ValueError(
            f"names {store}, which is not supported: the image has no client for it, and cleaning, dumps and checks "
            "speak S3; use s3 with any S3 (docs/artifact-stores.md)"
        )
    return value


class ArtifactSettings(Section):
    """The bucket behind the artifact proxy, and the user that may use it."""

    kind: Annotated[Literal["minio", "s3"], BeforeValidator(_kind)] = "minio"
    """MinIO, whose user and policy bootstrap.py creates, or any other S3, for which you create them."""

    endpoint: S3Endpoint | None = "http://minio.minio.svc:9000"
    """Address of the S3 API; null for AWS. Plain http is allowed only in the cluster."""

    region: Annotated[str, matching(r"[a-z0-9-]{1,40}", "us-east-1")] = "us-east-1"
    """Region of the bucket; MinIO takes any."""

    bucket: Bucket = follows_instance("{instance}")
    """Bucket that holds artifacts and nothing else."""

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
    """Access key of the user that may use only this bucket."""

    policy: Annotated[str, matching(r"[A-Za-z0-9._-]{1,128}", "mlflow-bucket")] = follows_instance("{instance}-bucket")
    """Name of the user's policy in MinIO."""

    allowed_locations: tuple[Location, ...] = ()
    """Prefixes of locations outside the bucket that all members may read and give to experiments and versions."""

    credentials: Literal["keys", "service-account", "pod-identity"] = "keys"
    """Keys from the secret store, a cloud identity by annotation of the ServiceAccount, or EKS Pod Identity."""

    @property
    def folder(self) -> str:
        """What the key of every artifact begins with: empty, or ``prefix`` with a slash."""
        return f"{self.prefix}/" if self.prefix else ""

    @property
    def destination(self) -> str:
        """Where the server stores artifacts."""
        return f"s3://{self.bucket}/{self.prefix}" if self.prefix else f"s3://{self.bucket}"

    @property
    def upload_arguments(self) -> dict[str, str]:
        """What each upload asks for (boto3 documentation, ``S3Transfer.ALLOWED_UPLOAD_ARGS``)."""
        if self.encryption is None:
            return {}
        return {"ServerSideEncryption": self.encryption, **({"SSEKMSKeyId": self.kms_key} if self.kms_key else {})}

    @property
    def is_aws(self) -> bool:
        """Whether the bucket is in S3 of AWS itself."""
        return self.kind == "s3" and self.endpoint is None


def artifact_conflicts(artifacts: ArtifactSettings) -> Iterator[Conflict]:
    """What cannot hold together, by dotted key."""
    if artifacts.kind == "minio" and artifacts.endpoint is None:
        yield "artifacts.endpoint", "is required for MinIO; give its address, or set artifacts.kind to s3"
    if artifacts.kind == "minio" and artifacts.credentials != "keys":
        yield "artifacts.credentials", f"is {artifacts.credentials}, which MinIO does not know; use keys"
    elif artifacts.credentials == "pod-identity" and not artifacts.is_aws:
        yield (
            "artifacts.credentials",
            "is pod-identity, which only S3 of AWS knows; set artifacts.endpoint to null, or use keys",
        )
    # A certificate for *.s3.example.com covers one label.
    if artifacts.addressing == "virtual" and "." in artifacts.bucket:
        yield (
            "artifacts.addressing",
            f"is virtual, but no certificate covers the dots of {artifacts.bucket} in a host name; use path",
        )
    if artifacts.kms_key and artifacts.encryption != "aws:kms":
        yield "artifacts.kms_key", "has no effect without artifacts.encryption aws:kms; set that, or remove the key"
