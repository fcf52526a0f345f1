"""Periodic jobs: dumps of the databases, and cleaning.

What is cleaned: what users deleted, the access of who has left, and, on releases that keep them, expired sessions.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from cdk8s_plus_27 import k8s
from constructs import Construct

from cdk8s_mlflow.metadata import Component, eviction, metadata, pod_labels
from cdk8s_mlflow.pods import Mounts, environment_variables, pod, pod_metadata, program, resources
from cdk8s_mlflow.server_environment import (
    backup_environment,
    end_access_environment,
    job_environment,
    program_arguments,
)
from cdk8s_mlflow.settings import Settings


class Maintenance(Construct):
    """CronJobs that never overlap and give up in the end: within an hour, or a dump when the settings say so."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings) -> None:
        super().__init__(scope, id)
        if settings.maintenance.garbage_collection:
            _garbage_collection(self, settings)
        if settings.tested_release.needs_session_pruning:
            _session_pruning(self, settings)
        if settings.backup.target:
            _dump(self, settings)
        if settings.ends_access:
            _end_access(self, settings)


def _garbage_collection(scope: Construct, settings: Settings) -> None:
    _cron_job(
        scope,
        "GarbageCollection",
        settings=settings,
        schedule=settings.maintenance.garbage_collection_schedule,
        program_name="gc",
        flags={"older-than": f"{settings.maintenance.retention_days}d"},
        folders=("db", "s3", "azure", "gcs"),
        # server.read_only suspends it: a dump that is restored later must find the artifacts that it names.
        deletes=True,
    )


def _session_pruning(scope: Construct, settings: Settings) -> None:
    _cron_job(
        scope,
        "SessionPruning",
        settings=settings,
        schedule=settings.maintenance.session_pruning_schedule,
        program_name="prune-sessions",
        folders=("db",),
        deletes=True,
    )


def _dump(scope: Construct, settings: Settings) -> None:
    backup = settings.backup
    _cron_job(
        scope,
        "Dump",
        settings=settings,
        schedule=backup.schedule,
        program_name="dump",
        flags={"keep-days": backup.keep_days, "keep-at-least": backup.keep_at_least},
        # Not s3: the keys of the bucket with artifacts are not needed to dump databases.
        folders=("db", "backup"),
        component="backup",
        environment=backup_environment(settings),
        maximum_seconds=backup.maximum_seconds,
    )


def _end_access(scope: Construct, settings: Settings) -> None:
    _cron_job(
        scope,
        "EndAccess",
        settings=settings,
        schedule=settings.maintenance.end_access_schedule,
        program_name="end-access",
        folders=("db", "directory"),
        # A component of its own, so that of the jobs only this one may reach Keycloak.
        component="end-access",
        environment=end_access_environment(settings),
    )


def _cron_job(
    scope: Construct,
    id: str,
    *,
    settings: Settings,
    schedule: str,
    program_name: str,
    flags: Mapping[str, str | int] = MappingProxyType({}),
    folders: Sequence[str],
    component: Component = "maintenance",
    environment: Mapping[str, str] | None = None,
    maximum_seconds: int = 3600,
    deletes: bool = False,
) -> None:
    job_metadata = k8s.ObjectMeta(labels=pod_labels(component, name=settings.name, instance=settings.instance))
    job = k8s.JobSpec(
        # The schedule is the retry: a second failure in a row waits for the next run.
        backoff_limit=1,
        active_deadline_seconds=maximum_seconds,
        template=_pod_template(settings, program_name, flags, folders, component, environment),
    )
    k8s.KubeCronJob(
        scope,
        id,
        metadata=metadata(f"{settings.name}-{program_name}", namespace=settings.namespace, component=component),
        spec=k8s.CronJobSpec(
            schedule=schedule,
            # Without it the schedule follows the time zone of the controller manager, which differs between clusters.
            time_zone="Etc/UTC",
            concurrency_policy="Forbid",
            # Only while database or bucket is worked on; a dump only reads, and goes on.
            suspend=True if deletes and settings.server.read_only else None,
            # Also keeps the controller from giving up for good after 100 missed starts (Kubernetes, "CronJob").
            starting_deadline_seconds=3600,
            # A failed pod's log is what the runbooks look at; of successful ones the last suffices.
            successful_jobs_history_limit=1,
            failed_jobs_history_limit=3,
            job_template=k8s.JobTemplateSpec(metadata=job_metadata, spec=job),
        ),
    )


def _pod_template(
    settings: Settings,
    program_name: str,
    flags: Mapping[str, str | int],
    folders: Sequence[str],
    component: Component,
    environment: Mapping[str, str] | None,
) -> k8s.PodTemplateSpec:
    mounts = Mounts(settings, folders=folders, temporary_size="1Gi")
    container = program(
        program_name,
        program_arguments(program_name, flags),
        settings=settings,
        env=environment_variables(environment or job_environment(settings)),
        volume_mounts=mounts.container_mounts,
        resources=resources(cpu=("100m", "1"), memory=("384Mi", "1Gi"), disk=("64Mi", "2Gi")),
    )
    return k8s.PodTemplateSpec(
        metadata=pod_metadata(settings, component, annotations=eviction(safe=True)),
        spec=pod(settings, mounts=mounts, containers=[container], restart_policy="Never"),
    )
