"""Settings that are fine each and cannot hold together, each with its remedy."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from cdk8s_mlflow.settings.address_checks import address_conflicts
from cdk8s_mlflow.settings.annotation_checks import annotation_conflicts
from cdk8s_mlflow.settings.artifacts import artifact_conflicts
from cdk8s_mlflow.settings.authentication import authentication_conflicts
from cdk8s_mlflow.settings.backing_checks import backing_conflicts
from cdk8s_mlflow.settings.backup_checks import backup_conflicts
from cdk8s_mlflow.settings.cilium_checks import cilium_conflicts
from cdk8s_mlflow.settings.database import database_conflicts
from cdk8s_mlflow.settings.extra_environment import refused_variables
from cdk8s_mlflow.settings.ingress_checks import ingress_conflicts
from cdk8s_mlflow.settings.mesh_checks import mesh_conflicts
from cdk8s_mlflow.settings.metadata_checks import metadata_conflicts
from cdk8s_mlflow.settings.mistakes import mistakes
from cdk8s_mlflow.settings.monitoring import monitoring_conflicts
from cdk8s_mlflow.settings.names_of_others import foreign_names
from cdk8s_mlflow.settings.network_checks import network_conflicts
from cdk8s_mlflow.settings.own_pod import own_pod_conflicts
from cdk8s_mlflow.settings.pod_checks import pod_conflicts
from cdk8s_mlflow.settings.repeated import repeated
from cdk8s_mlflow.settings.resource_checks import resource_conflicts
from cdk8s_mlflow.settings.section import Conflict, at_least
from cdk8s_mlflow.settings.server import autoscaling_conflicts, stopping_conflicts
from cdk8s_mlflow.settings.without_effect import without_effect

if TYPE_CHECKING:
    from cdk8s_mlflow.settings.environment import EnvironmentSettings


def conflicts(settings: EnvironmentSettings) -> list[Conflict]:
    """Everything in ``settings`` that cannot hold together."""
    return [found for check in _CHECKS for found in check(settings)]


def connections(settings: EnvironmentSettings) -> int:
    """PostgreSQL connections at most: all workers' pools on both databases, gauges, and one migration.

    With more pods during a rollout, or one worker more in each pod while a changed Secret has them replaced.
    """
    server = settings.server
    rollout = (server.most_replicas + server.surge) * server.workers, server.most_replicas + server.surge
    rotation = server.most_replicas * (server.workers + 1), server.most_replicas
    # One for the gauges of each pod, two for a migration.
    return max(workers * _pools(settings) + pods for workers, pods in (rollout, rotation)) + 2


def _pools(settings: EnvironmentSettings) -> int:
    """Connections of a worker, which has a pool for each database."""
    return 2 * (settings.database.pool_size + settings.database.max_overflow)


def _release(settings: EnvironmentSettings) -> Iterator[Conflict]:
    plugin, expected = settings.plugin_version, settings.tested_release.plugin
    if plugin is not None and plugin != expected:
        yield (
            "plugin_version",
            f"is {plugin}, but release {settings.release} was tested with {expected}; remove the key",
        )
    tag = settings.image.tag or ""
    # A tag may be of any form; only one that says a version can contradict the release.
    version = re.match(r"v?(\d+\.\d+\.\d+)", tag)
    if version and version[1] != settings.release:
        yield "image.tag", f"is {tag}, but the release is {settings.release}; set release, or the tag of its image"


def _unused(settings: EnvironmentSettings) -> Iterator[Conflict]:
    for key in settings.tested_release.unused_settings:
        section, name = key.split(".")
        # A default that the release has no use for is no mistake of the file.
        if name in getattr(settings, section).model_fields_set:
            yield key, f"has no effect on release {settings.release}; remove it"


def _replicas(settings: EnvironmentSettings) -> Iterator[Conflict]:
    shared = settings.tested_release.sessions_in_database or settings.authentication.redis
    server = settings.server
    if server.most_replicas > 1 and not shared:
        yield (
            "server.autoscaling.max_replicas" if server.autoscaling else "server.replicas",
            f"is {server.most_replicas}, but release {settings.release} keeps sessions in each pod; "
            "set authentication.redis, use one replica, or choose a release that keeps them in the database",
        )


def _operators(settings: EnvironmentSettings) -> Iterator[Conflict]:
    """Versions below which an object of ours is unknown to its controller, so that no field can be left out."""
    secrets, ingress = settings.secrets, settings.ingress
    if secrets.mode == "external-secrets" and not at_least(secrets.external_secrets_version, 0, 16):
        yield (
            "secrets.external_secrets_version",
            f"is {secrets.external_secrets_version}, but external-secrets.io/v1 needs 0.16; install a newer one, or "
            "set secrets.mode to kubernetes",
        )
    if ingress.uses_middlewares and not at_least(ingress.traefik_version, 2, 11):
        yield (
            "ingress.traefik_version",
            f"is {ingress.traefik_version}, but our Middleware needs 2.11; use a newer one, or set ingress.middleware "
            "to false",
        )


def _connection_budget(settings: EnvironmentSettings) -> Iterator[Conflict]:
    needed, granted = connections(settings), settings.database.max_connections
    server, surge = settings.server, {0: "none", 1: "one"}.get(settings.server.surge, settings.server.surge)
    if needed > granted:
        yield (
            "database.max_connections",
            f"is {granted}, but {server.most_replicas} replicas with {server.workers} workers, {surge} of surge or a "
            f"worker more in each while Secrets change, x {_pools(settings)} connections on 2 databases, and the "
            f"migration need {needed}; lower replicas, workers, pool_size or max_overflow, or raise it here and in "
            "PostgreSQL",
        )


def _jobs(settings: EnvironmentSettings) -> Iterator[Conflict]:
    if settings.server.job_execution and "server.job_execution" not in settings.tested_release.unused_settings:
        yield (
            "server.job_execution",
            "is true, but no pod runs MLflow's jobs yet, so each that is submitted would fail; remove it",
        )


def _extra_environment(settings: EnvironmentSettings) -> Iterator[Conflict]:
    yield from refused_variables(settings.server.extra_environment, settings.release)


def _clouds(settings: EnvironmentSettings) -> Iterator[Conflict]:
    server = settings.server
    named = "azure.workload.identity/client-id" in server.service_account_annotations
    # Of a ServiceAccount that is not ours, its owner knows.
    if settings.uses_azure_identity and server.service_account is None and not named:
        yield (
            "server.service_account_annotations",
            "needs azure.workload.identity/client-id, since artifacts.credentials is service-account; add the client "
            "id of the managed identity",
        )


def _end_access(settings: EnvironmentSettings) -> Iterator[Conflict]:
    maintenance = settings.maintenance
    asked = "end_access" in maintenance.model_fields_set and maintenance.end_access
    if asked and settings.authentication.directory_client is None:
        yield "maintenance.end_access", "is true, but needs authentication.directory_client; name one"
    if settings.ends_access and set(maintenance.end_access_schedule.split()[1:]) != {"*"}:
        yield (
            "maintenance.end_access_schedule",
            f"is {maintenance.end_access_schedule}, which is not at least hourly; leave all but the minute as *",
        )


def _secrets(settings: EnvironmentSettings) -> Iterator[Conflict]:
    if settings.secrets.mode == "kubernetes":
        return
    backup = settings.backup.cluster
    keys_elsewhere = backup is not None and backup.target is not None and backup.credentials == "keys"
    role_elsewhere = settings.database.role_management != "bootstrap" and not settings.database.client_certificate
    other_namespace = settings.database.cluster_namespace != settings.namespace
    if settings.secrets.store_kind == "SecretStore" and role_elsewhere and other_namespace:
        yield (
            "secrets.store_kind",
            "is SecretStore, which only its own namespace may read, but the role's Secret is needed in namespace "
            f"{settings.database.cluster_namespace}; use a ClusterSecretStore, or database.role_management: bootstrap",
        )
    if settings.secrets.store_kind == "SecretStore" and keys_elsewhere and other_namespace:
        yield (
            "secrets.store_kind",
            "is SecretStore, which only its own namespace may read, but the keys of backup.cluster are needed in "
            f"namespace {settings.database.cluster_namespace}; use a ClusterSecretStore, or remove its target",
        )


_CHECKS: tuple[Callable[[EnvironmentSettings], Iterator[Conflict]], ...] = (
    _release,
    metadata_conflicts,
    mesh_conflicts,
    cilium_conflicts,
    _unused,
    without_effect,
    _replicas,
    lambda settings: autoscaling_conflicts(settings.server),
    lambda settings: stopping_conflicts(settings.server),
    pod_conflicts,
    lambda settings: database_conflicts(settings.database),
    _operators,
    ingress_conflicts,
    annotation_conflicts,
    address_conflicts,
    backing_conflicts,
    own_pod_conflicts,
    foreign_names,
    repeated,
    mistakes,
    network_conflicts,
    resource_conflicts,
    _connection_budget,
    _extra_environment,
    _jobs,
    lambda settings: authentication_conflicts(settings.authentication),
    _end_access,
    lambda settings: artifact_conflicts(settings.artifacts),
    _clouds,
    backup_conflicts,
    _secrets,
    lambda settings: monitoring_conflicts(settings.monitoring),
)
