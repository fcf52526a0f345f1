"""Where secrets are kept and how they reach the cluster."""

from typing import Annotated, Literal

from cdk8s_mlflow.settings.addresses import HttpsUrl
from cdk8s_mlflow.settings.instance import follows_instance
from cdk8s_mlflow.settings.section import DnsName, Duration, ProductVersion, Section, at_least, matching

VaultPath = Annotated[str, matching(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*", "mlflow or teams/mlflow")]


class SecretsSettings(Section):
    """The secret store that bootstrap.py fills and the pods' Secrets are created from."""

    mode: Literal["external-secrets", "kubernetes"] = "external-secrets"
    """External Secrets copies from Vault or OpenBao, or bootstrap.py writes the very same Kubernetes Secrets itself.

    With kubernetes no other key of this section has an effect.
    """

    store_kind: Literal["ClusterSecretStore", "SecretStore"] = "ClusterSecretStore"
    """Kind of the External Secrets store."""

    store: DnsName = "vault-secret-store"
    """Name of the External Secrets store."""

    external_secrets_version: ProductVersion = "2.3"
    """Version of External Secrets at least; the API v1 needs 0.16, and a field that 2.3 added is left out below it."""

    refresh_interval: Duration = "1h"
    """How often External Secrets looks for a changed value."""

    vault_address: HttpsUrl | None = None
    """Address of Vault or OpenBao for bootstrap.py; VAULT_ADDR wins."""

    vault_mount: VaultPath = "secret"
    """Mount of the KV version 2 engine."""

    vault_prefix: VaultPath = follows_instance("{instance}")
    """Path under the mount that holds our entries postgres, s3, oidc and server."""

    vault_auth: Literal["token", "approle", "kubernetes"] = "token"
    """How bootstrap.py logs in to Vault or OpenBao."""

    vault_auth_mount: VaultPath | None = None
    """Mount of the auth method, unless that is token; by default its name."""

    vault_role: Annotated[str, matching(r"[A-Za-z0-9._-]{1,128}", "mlflow-bootstrap")] = follows_instance(
        "{instance}-bootstrap"
    )
    """Role of the auth method, only with ``vault_auth`` kubernetes."""

    @property
    def has_null_byte_policy(self) -> bool:
        """Whether the operator knows ``nullBytePolicy``; an older one refuses it, or drops the field."""
        return at_least(self.external_secrets_version, 2, 3)
