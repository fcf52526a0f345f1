"""What the delivery tools compare, wait for and apply again, each learnt from running them."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.manifests.objects import Objects, Render

EVICTION = "cluster-autoscaler.kubernetes.io/safe-to-evict"


def of_kind(objects: Objects, kind: str) -> list[dict[str, Any]]:
    return [o for (found, _, _), o in objects.items() if found == kind]


def job_name(objects: Objects) -> str:
    (job,) = of_kind(objects, "Job")
    return str(job["metadata"]["name"])


@pytest.mark.parametrize(
    "changes",
    [
        {"server": {"log_level": "DEBUG"}},
        {"database": {"pool_size": 3}},
        {"database": {"max_overflow": 0}},
        {"artifacts": {"endpoint": "https://s3.example.com"}},
    ],
    ids=str,
)
def test_migration_job_ignores_what_does_not_migrate(rendered: Render, changes: Mapping[str, Any]) -> None:
    assert job_name(rendered(**changes)) == job_name(rendered())


def test_migration_job_follows_image_and_run(rendered: Render) -> None:
    names = {job_name(rendered(**changes)) for changes in ({}, {"image": {"tag": "x1"}}, {"migration": {"run": 2}})}

    assert len(names) == 3


def test_log_level_reaches_server(rendered: Render) -> None:
    (deployment,) = of_kind(rendered(server={"log_level": "DEBUG"}), "Deployment")

    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert {"name": "LOG_LEVEL", "value": "DEBUG"} in container["env"]
    assert {"name": "MLFLOW_SQLALCHEMYSTORE_POOL_SIZE", "value": "5"} in container["env"]


def test_network_policies_contain_no_empty_list(committed: Mapping[str, Objects]) -> None:
    policies = [policy["spec"] for objects in committed.values() for policy in of_kind(objects, "NetworkPolicy")]

    assert policies
    # The API server drops an empty list, which a server-side apply sees as a change each time.
    assert all(rules for spec in policies for rules in (spec.get("ingress", True), spec.get("egress", True)))
    assert all(spec["policyTypes"] == ["Ingress", "Egress"] for spec in policies)


def test_autoscaler_may_evict_all_but_migrations(rendered: Render) -> None:
    objects = rendered(release="3.17.2")

    (deployment,), (job,) = of_kind(objects, "Deployment"), of_kind(objects, "Job")
    crons = [cron["spec"]["jobTemplate"]["spec"] for cron in of_kind(objects, "CronJob")]
    # A migration that is evicted begins anew.
    assert job["spec"]["template"]["metadata"]["annotations"][EVICTION] == "false"
    served = [deployment["spec"], *crons]
    assert [spec["template"]["metadata"]["annotations"][EVICTION] for spec in served] == ["true"] * len(served)


def test_argocd_repeats_whole_syncs(rendered: Render) -> None:
    (application,) = of_kind(rendered(), "Application")

    # ApplyOutOfSyncOnly would leave a failed Job that is in sync out of the retry, and go on without it.
    assert application["spec"]["syncPolicy"]["syncOptions"] == ["ServerSideApply=true", "PruneLast=true"]


def test_flux_waits_for_status_of_this_generation(rendered: Render) -> None:
    checks = [
        o["spec"]["healthCheckExprs"] for o in of_kind(rendered(), "Kustomization") if "healthCheckExprs" in o["spec"]
    ]

    # No ``failed``: CloudNativePG says ``applied: false`` before its first try.
    assert [set(check) for check in checks[0]] == [{"apiVersion", "kind", "current"}] * 2
    assert all("status.observedGeneration == metadata.generation" in check["current"] for check in checks[0])


def test_older_operators_get_no_newer_field(rendered: Render) -> None:
    objects = rendered(
        # Of each one release before the field came.
        secrets={"external_secrets_version": "2.2.1"},
        delivery={"flux_version": "2.4", "argocd_version": "3.1.9"},
    )

    references = [field["remoteRef"] for o in of_kind(objects, "ExternalSecret") for field in o["spec"]["data"]]
    assert not any("nullBytePolicy" in reference for reference in references)
    assert not any("healthCheckExprs" in o["spec"] for o in of_kind(objects, "Kustomization"))
    (application,) = of_kind(objects, "Application")
    assert "refresh" not in application["spec"]["syncPolicy"]["retry"]


def test_current_operators_get_every_field(rendered: Render) -> None:
    # Compared as numbers: as texts both would be older.
    objects = rendered(secrets={"external_secrets_version": "10.0"}, delivery={"flux_version": "2.10"})

    references = [field["remoteRef"] for o in of_kind(objects, "ExternalSecret") for field in o["spec"]["data"]]
    assert {reference["nullBytePolicy"] for reference in references} == {"Ignore"}
    assert any("healthCheckExprs" in o["spec"] for o in of_kind(objects, "Kustomization"))
