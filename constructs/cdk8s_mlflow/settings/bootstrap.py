"""How bootstrap.py reaches the systems that it prepares."""

from typing import Annotated

from pydantic import Field

from cdk8s_mlflow.settings.addresses import Url
from cdk8s_mlflow.settings.section import Section, Text


class BootstrapSettings(Section):
    """Addresses as seen from where bootstrap.py runs, and how patient it is."""

    keycloak_url: Url | None = None
    """Keycloak's address for administration; by default its public address."""

    postgres_host: Text | None = None
    """PostgreSQL's host, such as localhost behind kubectl port-forward; by default the one that MLflow uses."""

    postgres_port: Annotated[int, Field(ge=1, le=65535)] | None = None
    """PostgreSQL's port; by default the one that MLflow uses."""

    postgres_database: Text = "postgres"
    """Database that the administrator logs in to."""

    s3_endpoint: Url | None = None
    """S3's address; by default the one that MLflow uses."""

    kube_context: Text | None = None
    """Context of the kubeconfig whose cluster gets the Secrets; by default the current one."""

    connect_timeout_seconds: Annotated[float, Field(gt=0, le=120, strict=False)] = 10
    """Seconds until a connection attempt fails."""

    read_timeout_seconds: Annotated[float, Field(gt=0, le=600, strict=False)] = 30
    """Seconds until an unanswered call fails."""

    attempts: Annotated[int, Field(ge=1, le=20)] = 5
    """How often a call is tried when the system does not answer or asks to wait."""

    backoff_seconds: Annotated[float, Field(gt=0, le=60, strict=False)] = 0.5
    """Longest pause before the second attempt; doubles with each, with jitter, up to 30 seconds."""
