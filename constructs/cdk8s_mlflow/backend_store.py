"""The two databases and the role that owns them, as CloudNativePG objects."""

from typing import TypedDict

from constructs import Construct

from cdk8s_mlflow.annotations import PRUNE_GUARDS
from cdk8s_mlflow.metadata import WAVE_DATABASE, WAVE_ROLE, resource_metadata
from cdk8s_mlflow.settings.database import DatabaseSettings
from cdk8s_mlflow_crds.io.cnpg import postgresql as cnpg


class BackendStore(Construct):
    """A Database each for runs and for permissions, and, where CloudNativePG creates it, their owner.

    Reclaim policy ``retain`` keeps the data if an object is deleted and guards it from pruning; ``delete`` lifts both.
    """

    def __init__(self, scope: Construct, id: str, *, settings: DatabaseSettings) -> None:
        super().__init__(scope, id)
        # With managed-roles the role belongs in the Cluster, which is another team's; its owner gets a patch instead.
        if settings.role_management == "database-role":
            _role(self, settings)
        if settings.database_management == "cnpg":
            _database(self, "Tracking", settings, object_name=settings.object_name, name=settings.name)
            _database(
                self, "Permissions", settings, object_name=f"{settings.object_name}-auth", name=settings.auth_name
            )


def _guards(settings: DatabaseSettings) -> dict[str, str] | None:
    return dict(PRUNE_GUARDS) if settings.reclaim_policy == "retain" else None


def _role(scope: Construct, settings: DatabaseSettings) -> None:
    # The generated enumerations are named in upper case.
    policy = cnpg.DatabaseRoleSpecDatabaseRoleReclaimPolicy[settings.reclaim_policy.upper()]
    cnpg.DatabaseRole(
        scope,
        "Role",
        metadata=resource_metadata(
            settings.object_name, namespace=settings.cluster_namespace, wave=WAVE_ROLE, more=_guards(settings)
        ),
        spec=cnpg.DatabaseRoleSpec(
            name=settings.role,
            cluster=cnpg.DatabaseRoleSpecCluster(name=settings.cluster),
            ensure=cnpg.DatabaseRoleSpecEnsure.PRESENT,
            database_role_reclaim_policy=policy,
            # Defaults are written out: the API server adds them, and Argo CD would show a difference for ever.
            login=True,
            superuser=False,
            createdb=False,
            createrole=False,
            replication=False,
            bypassrls=False,
            inherit=True,
            connection_limit=-1,
            **_login(settings),
        ),
    )


class _LoginFields(TypedDict, total=False):
    """How the role proves who it is."""

    password_secret: cnpg.DatabaseRoleSpecPasswordSecret
    disable_password: bool
    client_certificate: cnpg.DatabaseRoleSpecClientCertificate


def _login(settings: DatabaseSettings) -> _LoginFields:
    if settings.client_certificate is None:
        return {"password_secret": cnpg.DatabaseRoleSpecPasswordSecret(name=settings.role_secret)}
    # A password that the role had before would still log in where pg_hba.conf takes one.
    without: _LoginFields = {"disable_password": True}
    if settings.issues_client_certificate:
        without["client_certificate"] = cnpg.DatabaseRoleSpecClientCertificate(enabled=True)
    return without


def _database(scope: Construct, id: str, settings: DatabaseSettings, *, object_name: str, name: str) -> None:
    cnpg.Database(
        scope,
        id,
        metadata=resource_metadata(
            object_name, namespace=settings.cluster_namespace, wave=WAVE_DATABASE, more=_guards(settings)
        ),
        spec=cnpg.DatabaseSpec(
            name=name,
            owner=settings.role,
            cluster=cnpg.DatabaseSpecCluster(name=settings.cluster),
            # Encoding and locale, immutable once set, are left out: they are those of template1.
            ensure=cnpg.DatabaseSpecEnsure.PRESENT,
            database_reclaim_policy=cnpg.DatabaseSpecDatabaseReclaimPolicy[settings.reclaim_policy.upper()],
        ),
    )
