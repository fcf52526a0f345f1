"""The life of an environment that Flux delivers, as the Kustomizations' own status tells it."""

import re
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from deployment import COMMON, Deployment
from stored_content import StoredContent

from live.node.backing import KEYCLOAK_HOST
from live.node.flux import Flux
from live.node.node import Node
from live.node.operators import Operators
from testbed.node.suspension import suspend
from testbed.node.workload import Workloads
from testbed.system import System

pytestmark = pytest.mark.servers

SETTINGS = {
    **COMMON,
    "instance": "mlflow-flux",
    "ingress": {"host": "flux.cluster.test", "cluster_issuer": None},
    "authentication": {
        "keycloak_host": KEYCLOAK_HOST,
        "redis": {"host": "redis.redis.svc", "port": 6379, "database": 1},
    },
}
NEWER = {**SETTINGS, "release": "3.17.2"}


@pytest.fixture(scope="module")
def delivered(prepare: Callable[..., Deployment], flux: Flux) -> Deployment:
    """An environment of this module's own."""
    deployment = prepare("flux", **SETTINGS)
    deployment.deliver(flux)
    return deployment


@pytest.fixture(scope="module")
def content(delivered: Deployment, node: Node) -> Iterator[StoredContent]:
    """What two users have stored in it before it is upgraded."""
    with StoredContent.of(System(delivered, node=node)) as content:
        yield content


def jobs(deployment: Deployment) -> dict[str, Any]:
    """Migration Jobs by UID."""
    listed = deployment.node.get(
        "jobs", "--namespace", deployment.namespace, "--selector", "app.kubernetes.io/component=migration"
    )
    return {job["metadata"]["uid"]: job for job in listed["items"]}


def log_level(deployment: Deployment) -> str:
    """What the running pods were told."""
    (pod,) = deployment.pods("tracking-server")
    (value,) = [v["value"] for c in pod["spec"]["containers"] for v in c.get("env", []) if v["name"] == "LOG_LEVEL"]
    return str(value)


def rerender(deployment: Deployment, **settings: Any) -> None:
    shutil.rmtree(deployment.dist)
    deployment.render(settings)


def publish_only(deployment: Deployment, flux: Flux) -> str:
    """A push without waiting; the name of the Kustomization of the application."""
    flux.publish(deployment.dist, deployment.name, source=deployment.source)
    for part in ("database", "application"):
        flux.reconcile(f"{deployment.source}-{part}")
    return f"{deployment.source}-application"


def test_settings_change_restarts_without_migration(delivered: Deployment, flux: Flux) -> None:
    before = jobs(delivered).keys()
    rerender(delivered, **{**SETTINGS, "server": {**SETTINGS["server"], "log_level": "DEBUG"}})

    delivered.publish(flux)

    assert log_level(delivered) == "DEBUG"
    assert jobs(delivered).keys() == before


def test_suspended_delivery_reverts_nothing_until_resumed(delivered: Deployment, flux: Flux) -> None:
    application, before = f"{delivered.source}-application", jobs(delivered).keys()
    applied, level = flux.status(application)["lastAppliedRevision"], log_level(delivered)
    suspend(flux, application)
    # As `git revert` would.
    rerender(delivered, **SETTINGS)

    publish_only(delivered, flux)
    flux.wait_ready(f"{delivered.source}-database")

    assert flux.status(application)["lastAppliedRevision"] == applied
    assert (level, log_level(delivered)) == ("DEBUG", "DEBUG")
    suspend(flux, application, suspended=False)
    flux.wait_ready(application)
    assert log_level(delivered) == "INFO"
    assert jobs(delivered).keys() == before


def test_newer_release_is_migrated_and_keeps_everything(
    delivered: Deployment, flux: Flux, content: StoredContent
) -> None:
    older = jobs(delivered).keys()
    rerender(delivered, **NEWER)
    delivered.import_image()
    # The newer release has keys of its own, which the guide of upgrades creates first.
    delivered.bootstrap.succeed("apply", "secrets")

    failures = content.failures_of_reads(lambda: delivered.publish(flux))

    (job,) = jobs(delivered).values()
    (pod,) = delivered.pods("tracking-server")
    assert job["metadata"]["uid"] not in older
    assert job["status"]["succeeded"] == 1
    assert {c["image"] for c in pod["spec"]["containers"]} == {delivered.settings.image_reference}
    assert flux.status(f"{delivered.source}-application")["lastAppliedRevision"] == flux.revision(delivered.source)
    after = content.seen()
    assert failures == []
    assert after == content.before
    assert (after["grant"], after["reader reads"], after["reader writes"]) == ("READ", 200, 403)
    assert content.seen_after_login() == 200


def test_failed_migration_keeps_old_pods_and_is_named(
    delivered: Deployment, flux: Flux, node: Node, content: StoredContent
) -> None:
    (newer,) = delivered.pods("tracking-server")

    # What `git revert` of the upgrade delivers: the older release does not know the newer one's schema.
    rerender(delivered, **SETTINGS)
    application, job = publish_only(delivered, flux), f"Job/{delivered.namespace}/mlflow-db-migration-"
    node.wait("the failure", lambda: job in failure(flux, application))

    assert "status: 'Failed'" in failure(flux, application)
    assert re.search(r"(?s)schema is newer than this image.* no way down", said_by_migrations(delivered))
    assert [pod["metadata"]["uid"] for pod in delivered.pods("tracking-server") if ready(pod)] == [
        newer["metadata"]["uid"]
    ]
    assert content.seen() == content.before
    rerender(delivered, **NEWER)
    delivered.publish(flux)
    assert flux.condition(application)["status"] == "True"


def said_by_migrations(deployment: Deployment) -> str:
    """Logs of the pods of all migrations that are there."""
    workloads = Workloads(node=deployment.node, namespace=deployment.namespace)
    return "".join(workloads.logs(pod.name) for pod in workloads.pods("app.kubernetes.io/component=migration"))


def ready(pod: dict[str, Any]) -> bool:
    return any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"]["conditions"])


def failure(flux: Flux, kustomization: str) -> str:
    """Why a Kustomization is not ready; empty while it is, or is at work."""
    condition = flux.condition(kustomization)
    return condition["message"] if condition.get("status") == "False" else ""


def test_uninstall_keeps_data_and_reinstall_adopts_it(
    delivered: Deployment, flux: Flux, node: Node, operators: Operators, content: StoredContent
) -> None:
    namespace, objects = ["--namespace", delivered.namespace], delivered.manifests / "delivery/flux"
    node.kubectl("delete", "--filename", str(objects), "--wait")
    node.wait("the end", lambda: not node.get("deployments", *namespace)["items"])
    kept = databases(node)

    # CloudNativePG says so until it has created the role.
    operators.applied = False
    try:
        node.apply(objects)
        database = f"{delivered.source}-database"
        publish_only(delivered, flux)
        node.wait("a first look", lambda: bool(flux.status(database).get("lastAttemptedRevision")))
        waiting = flux.condition(database)
    finally:
        operators.applied = True
    flux.wait_ready(database)
    flux.wait_ready(f"{delivered.source}-application")

    assert len(kept) == 2
    assert node.get("namespace", delivered.namespace)["status"]["phase"] == "Active"
    assert waiting["reason"] != "HealthCheckFailed", waiting
    (job,) = jobs(delivered).values()
    assert job["status"]["succeeded"] == 1
    node.wait("Traefik", lambda: answers(delivered))
    assert content.seen() == content.before


def answers(deployment: Deployment) -> bool:
    """Whether Traefik leads to a pod."""
    with deployment.client() as client:
        return client.get("/health").status_code == 200


def test_uninstall_with_data_prunes_databases(delivered: Deployment, flux: Flux, node: Node) -> None:
    # It lifts the guards that keep the databases from being pruned.
    rerender(delivered, **{**NEWER, "database": {"reclaim_policy": "delete"}})
    delivered.publish(flux)

    node.kubectl("delete", "--filename", str(delivered.manifests / "delivery/flux"), "--wait")

    node.wait("the end of the databases", lambda: not databases(node))


def databases(node: Node) -> set[str]:
    """Databases of the environment that CloudNativePG is asked for."""
    listed = node.get("databases.postgresql.cnpg.io", "--namespace", "postgres")["items"]
    return {item["metadata"]["name"] for item in listed if "flux" in item["metadata"]["name"]}
