"""Which objects each environment has; a new or lost one must be meant."""

import re
from collections.abc import Mapping

from tests.manifests.objects import Objects

APPLICATION = {
    ("Namespace", "", "mlflow"),
    ("ServiceAccount", "mlflow", "mlflow"),
    ("Deployment", "mlflow", "mlflow"),
    ("Service", "mlflow", "mlflow"),
    ("Job", "mlflow", "mlflow-db-migration-HASH"),
    ("Ingress", "mlflow", "mlflow"),
    ("Ingress", "mlflow", "mlflow-login"),
    ("Middleware", "mlflow", "mlflow-headers"),
    ("Middleware", "mlflow", "mlflow-in-flight"),
    ("Middleware", "mlflow", "mlflow-login-in-flight"),
    ("Middleware", "mlflow", "mlflow-login-rate"),
}
SECRETS = {
    ("ExternalSecret", "mlflow", name)
    for name in (
        "mlflow-db-secret",
        "mlflow-s3-secret",
        "mlflow-oidc-config",
        "mlflow-server-secret",
        "mlflow-directory-client",
    )
}
POLICIES = {
    ("NetworkPolicy", "mlflow", f"mlflow-{name}")
    for name in ("tracking-server", "migration", "maintenance", "end-access")
}
DATABASES = {("Database", "postgres", "mlflow"), ("Database", "postgres", "mlflow-auth")}
ROLE = {("DatabaseRole", "postgres", "mlflow"), ("ExternalSecret", "postgres", "mlflow-db-role")}


def flux(environment: str) -> set[tuple[str, str, str]]:
    return {
        ("GitRepository", "flux-system", f"mlflow-{environment}"),
        ("Kustomization", "flux-system", f"mlflow-{environment}-database"),
        ("Kustomization", "flux-system", f"mlflow-{environment}-application"),
    }


def identities(objects: Objects) -> set[tuple[str, str, str]]:
    # The hash changes with the image, the list of objects does not.
    return {(kind, where, re.sub(r"(migration)-[0-9a-f]{10}$", r"\1-HASH", name)) for kind, where, name in objects}


def test_production_has_everything(committed: Mapping[str, Objects]) -> None:
    expected = APPLICATION | SECRETS | POLICIES | DATABASES | ROLE | flux("production")
    expected |= {("ServiceMonitor", "mlflow", "mlflow")}
    expected |= {("CronJob", "mlflow", f"mlflow-{name}") for name in ("gc", "end-access")}
    expected |= {("Application", "argocd", "mlflow-production")}

    assert identities(committed["production"]) == expected


def test_edge_has_nothing_optional(committed: Mapping[str, Objects]) -> None:
    assert identities(committed["edge"]) == APPLICATION | DATABASES | flux("edge") | {
        ("CronJob", "mlflow", "mlflow-end-access")
    }


def test_local_is_delivered_by_flux_only(committed: Mapping[str, Objects]) -> None:
    found = identities(committed["local"])

    assert {where for _, where, _ in found} == {"", "mlflow-local", "postgres", "flux-system"}
    assert {kind for kind, _, _ in found} == {
        kind for kind, _, _ in APPLICATION | SECRETS | POLICIES | DATABASES | flux("local")
    } | {"CronJob", "ServiceMonitor", "DatabaseRole"}


def test_current_prunes_sessions_and_allows_one_disruption(committed: Mapping[str, Objects]) -> None:
    found = identities(committed["current"])

    assert ("CronJob", "mlflow-current", "mlflow-prune-sessions") in found
    assert ("PodDisruptionBudget", "mlflow-current", "mlflow") in found
