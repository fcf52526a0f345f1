"""Where MLflow keeps artifacts."""

from typing import Annotated, Literal

from cdk8s_mlflow.settings.addresses import S3Endpoint
from cdk8s_mlflow.settings.instance import follows_instance
from cdk8s_mlflow.settings.section import Section, matching

Bucket = Annotated[str, matching(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", "mlflow (3 to 63 lowercase letters, digits, '-')")]

Location = Annotated[
    str,
    matching(
        r"(?!file:)[a-z][a-z0-9+.-]*:(//[A-Za-z0-9._@-]+(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*|(/[A-Za-z0-9_-][A-Za-z0-9._-]*)+)",
        "s3://other-bucket/models (a URI without file:, query and closing slash)",
    ),
]


class ArtifactSettings(Section):
    """The bucket behind the artifact proxy, and the user that may use it."""

    kind: Literal["minio", "s3"] = "minio"
    """MinIO, whose user and policy bootstrap.py creates, or any other S3, for which you create them."""

    endpoint: S3Endpoint | None = "http://minio.minio.svc:9000"
    """Address of the S3 API; null for AWS. Plain http is allowed only in the cluster."""

    region: Annotated[str, matching(r"[a-z0-9-]{1,40}", "us-east-1")] = "us-east-1"
    """Region of the bucket; MinIO takes any."""

    bucket: Bucket = follows_instance("{instance}")
    """Bucket that holds artifacts and nothing else."""

    versioned: bool = False
    """Keep old object versions; set a lifecycle rule of your own, or they are kept for ever."""

    user: Annotated[str, matching(r"[A-Za-z0-9._-]{3,64}", "mlflow")] = follows_instance("{instance}")
    """Access key of the user that may use only this bucket."""

    policy: Annotated[str, matching(r"[A-Za-z0-9._-]{1,128}", "mlflow-bucket")] = follows_instance("{instance}-bucket")
    """Name of the user's policy in MinIO."""

    allowed_locations: tuple[Location, ...] = ()
    """Prefixes of locations outside the bucket that every member may give to experiments and versions of models."""

    credentials: Literal["keys", "service-account", "pod-identity"] = "keys"
    """Keys from the secret store, a cloud identity by annotation of the ServiceAccount, or EKS Pod Identity."""

    @property
    def is_aws(self) -> bool:
        """Whether the bucket is in S3 of AWS itself."""
        return self.kind == "s3" and self.endpoint is None
