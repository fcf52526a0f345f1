"""Two environments, and the changes of settings that many pairs have."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cdk8s_mlflow.settings import Settings

Changes = Mapping[str, Any]
"""Values by dotted keys."""

Shared = tuple[Changes, Changes, str, str]
"""Two environments, the setting that the second one is told to change, and the thing that both own."""

KEYCLOAK = "authentication.keycloak_host"
CLIENT = {"authentication.client_id": "shared"}
BUCKET = {"artifacts.bucket": "shared"}
DATABASE = {"database.name": "shared"}
NO_POLICIES = {"network.policies": False}
"""The pods of a Service of another name are unknown to a policy."""
REDIS = {"authentication.redis": {"host": "redis.redis.svc"}}
PREFIX = {"secrets.vault_prefix": "shared"}
VAULT = "secrets.vault_address"
ELSEWHERE = {"cluster": "elsewhere"}

ONE, OTHER = Path("environments/one.yaml"), Path("environments/other.yaml")


def settings(instance: str, changes: Changes) -> Settings:
    """An environment that shares nothing with another instance, with ``changes`` by dotted keys on top."""
    document: dict[str, Any] = {
        "instance": instance,
        "ingress": {"host": f"{instance}.example.com"},
        "authentication": {"keycloak_host": "auth.example.com"},
    }
    for key, value in changes.items():
        *above, name = key.split(".")
        section = document
        for part in above:
            section = section.setdefault(part, {})
        section[name] = value
    return Settings.model_validate(document)
