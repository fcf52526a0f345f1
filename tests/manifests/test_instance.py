"""What follows from the instance, and that two of them share nothing by default."""

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import ValidationError

from cdk8s_mlflow.settings import Settings
from cdk8s_mlflow.settings.instance import FollowsInstance
from cdk8s_mlflow.settings.section import Section
from tests.manifests.objects import Render

LABEL = "app.kubernetes.io/instance"
REQUIRED: Mapping[str, Any] = {
    "ingress": {"host": "mlflow.example.com"},
    "authentication": {"keycloak_host": "auth.example.com"},
}
TUNNEL = {"ingress": {"cloudflared": {}}, "server": {"replicas": 2}, "release": "3.17.2"}
DEFAULTS = {
    "namespace": "mlflow",
    "database.object_name": "mlflow",
    "database.name": "mlflow",
    "database.auth_name": "mlflow_auth",
    "database.role": "mlflow",
    "artifacts.bucket": "mlflow",
    "artifacts.user": "mlflow",
    "artifacts.policy": "mlflow-bucket",
    "authentication.client_id": "mlflow",
    "authentication.groups_scope": "groups",
    "authentication.directory_client": "mlflow-directory",
    "secrets.vault_prefix": "mlflow",
    "secrets.vault_role": "mlflow-bootstrap",
}
"""What the first deployment is called, which must never change: it would lose its data."""


def settings(**changes: Any) -> Settings:
    return Settings.model_validate({**REQUIRED, **changes})


def names(found: Settings) -> dict[str, str]:
    """Every value whose default follows from the instance, by its dotted key."""
    sections: dict[str, Section] = {"": found, **{f"{n}.": s for n, s in found if isinstance(s, Section)}}
    return {
        f"{above}{name}": getattr(section, name)
        for above, section in sections.items()
        for name, field in type(section).model_fields.items()
        if isinstance(field.json_schema_extra, FollowsInstance)
    }


def nested(dotted: Mapping[str, str]) -> dict[str, Any]:
    """``dotted`` as an environment file has it, the required keys with it."""
    document: dict[str, Any] = {key: dict(section) for key, section in REQUIRED.items()}
    for key, value in dotted.items():
        *above, name = key.split(".")
        target = document.setdefault(above[0], {}) if above else document
        target[name] = value
    return document


def labels_of(found: dict[str, Any]) -> list[dict[str, str]]:
    """The labels of an object and of every pod template in it."""
    spec = found.get("spec", {})
    job = spec.get("jobTemplate", {})
    templates = [spec.get("template"), job, job.get("spec", {}).get("template")]
    metadata = [found["metadata"], *(template["metadata"] for template in templates if template and "spec" in template)]
    return [one["labels"] for one in metadata]


def test_instance_mlflow_keeps_every_name() -> None:
    found = settings()

    assert names(found) == DEFAULTS
    assert found.database.role_secret == "mlflow-db-role"
    assert found.delivery_name("production") == "mlflow-production"


def test_instance_names_every_shared_thing() -> None:
    found = settings(instance="mlflow-staging")

    assert names(found) == {
        key: value.replace("mlflow", "mlflow_staging" if key in _IDENTIFIERS else "mlflow-staging")
        for key, value in (DEFAULTS | {"authentication.groups_scope": "mlflow-groups"}).items()
    }
    assert found.database.role_secret == "mlflow-staging-db-role"
    assert found.delivery_name("staging") == "mlflow-staging"
    assert (found.authentication.admin_group, found.authentication.user_group) == ("mlflow-admins", "mlflow-users")


_IDENTIFIERS = ("database.name", "database.auth_name", "database.role")


# 47 characters are the most with which every derived name fits.
@pytest.mark.parametrize("instance", ["abc", "0" * 47, "a--b", f"mlflow-{'n' * 40}"])
def test_instance_derives_only_allowed_names(instance: str) -> None:
    found = settings(instance=instance)

    given = Settings.model_validate({**nested(names(found)), "instance": instance})

    assert names(given) == names(found)
    assert len(f"{found.delivery_name('n' * 40)}-application") <= 63


def test_instance_yields_to_names_set_by_hand() -> None:
    found = settings(instance="mlflow-staging", namespace="ml", database={"role": "owner"}, delivery={"name": "ml"})

    assert (found.namespace, found.database.role, found.delivery_name("staging")) == ("ml", "owner", "ml")
    assert found.database.name == "mlflow_staging"


def test_instance_mlflow_names_its_scope_by_claim() -> None:
    login = {**REQUIRED["authentication"], "groups_claim": "teams"}

    assert settings(authentication=login).authentication.groups_scope == "teams"
    assert settings(instance="ml2", authentication=login).authentication.groups_scope == "ml2-teams"


def test_instance_of_copy_renames_its_defaults() -> None:
    first = settings(database={"role": "owner"})

    second = first.replace(instance="mlflow-staging", server=first.server.replace(replicas=1))

    assert (second.namespace, second.database.name, second.database.role) == (
        "mlflow-staging",
        "mlflow_staging",
        "owner",
    )
    assert names(first) == {**DEFAULTS, "database.role": "owner"}


@pytest.mark.parametrize(
    "instance", ["", "ml", "-mlflow", "mlflow-", "MLflow", "ml_flow", "a.b", "n" * 48, "mlflow\n", 7]
)
def test_instance_refuses_other_than_labels(instance: Any) -> None:
    with pytest.raises(ValidationError, match="instance"):
        settings(instance=instance)


def test_instance_labels_every_object(rendered: Render) -> None:
    objects = rendered(instance="mlflow-staging", **TUNNEL)

    missing = [key for key, found in objects.items() for one in labels_of(found) if one.get(LABEL) != "mlflow-staging"]
    assert missing == []
    assert {key[0] for key in objects} >= {"Application", "GitRepository", "Kustomization", "Database", "Namespace"}


def test_instance_labels_synced_secrets(rendered: Render) -> None:
    objects = rendered(instance="mlflow-staging", **TUNNEL)

    targets = [found["spec"]["target"] for (kind, _, _), found in objects.items() if kind == "ExternalSecret"]
    assert {target["template"]["metadata"]["labels"][LABEL] for target in targets} == {"mlflow-staging"}


@pytest.mark.parametrize("instance", ["mlflow", "mlflow-staging"])
def test_instance_stays_out_of_selectors(rendered: Render, instance: str) -> None:
    objects = rendered(instance=instance, **TUNNEL)

    specs = [found.get("spec", {}) for found in objects.values()]
    found = [spec.get(key) for spec in specs for key in ("selector", "podSelector") if key in spec]
    selectors = [one.get("matchLabels", one) for one in found]
    assert len(selectors) == 10
    assert {tuple(one) for one in selectors} == {("app.kubernetes.io/component", "app.kubernetes.io/name")}
    assert {one["app.kubernetes.io/name"] for one in selectors} == {"mlflow"}


def test_instances_share_no_object(rendered: Render) -> None:
    first, second = rendered(**TUNNEL), rendered(instance="mlflow-staging", **TUNNEL)

    assert first.keys() & second.keys() == set()


def test_instance_keeps_names_in_its_namespace(rendered: Render) -> None:
    first, second = rendered(**TUNNEL), rendered(instance="mlflow-staging", **TUNNEL)

    own = {(kind, name) for kind, namespace, name in first if namespace == "mlflow" and kind != "Job"}
    other = {(kind, name) for kind, namespace, name in second if namespace == "mlflow-staging" and kind != "Job"}
    assert own == other
