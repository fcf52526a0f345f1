"""What creates the role and the databases if bootstrap does not, and where to look."""

from cdk8s_mlflow.settings.database import DatabaseSettings


def creator_of_role(settings: DatabaseSettings) -> str:
    """CloudNativePG, by one of its two ways."""
    namespace = settings.cluster_namespace
    if settings.role_management == "database-role":
        return (
            f"CloudNativePG creates the role from DatabaseRole {settings.object_name} and its password from "
            f"Secret {settings.role_secret}: deliver dist/ first, then look at "
            f"`kubectl -n {namespace} describe databaserole {settings.object_name}`"
        )
    return (
        f"CloudNativePG creates the role from spec.managed.roles of Cluster {namespace}/{settings.cluster}, "
        f"and its password from Secret {settings.role_secret}: `main.py synth` prints the patch for its owner"
    )


def creator_of_database(settings: DatabaseSettings) -> str:
    """CloudNativePG, by Database objects."""
    return (
        "CloudNativePG creates it from a Database object: deliver dist/ first, "
        f"then look at `kubectl -n {settings.cluster_namespace} describe databases.postgresql.cnpg.io`"
    )
