"""The smallest environment with settings of its public address."""

from collections.abc import Mapping
from typing import Any

from cdk8s_mlflow.settings import Settings

LOGIN = {"keycloak_host": "auth.example.com"}
GATEWAY = {"parents": ({"name": "public", "namespace": "gateways", "section_name": "https"},)}


def settings(ingress: Mapping[str, Any], **changes: Any) -> Settings:
    """With ``ingress`` and other sections on top; raises pydantic's error if they are not allowed."""
    return Settings.model_validate(
        {"ingress": {"host": "mlflow.example.com", **ingress}, "authentication": LOGIN, **changes}
    )
