"""Periodic jobs: dumps of the databases, and cleaning.

What is cleaned: what users deleted, the access of who has left, and, on releases that keep them, expired sessions.
"""

from collections.abc import Mapping, Sequence

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
        maintenance = settings.maintenance
        if maintenance.garbage_collection:
            _cron_job(
                self,
                "GarbageCollection",
                settings=settings,
                name="mlflow-gc",
                schedule=maintenance.garbage_collection_schedule,
                program_name="gc",
                flags={"older-than": f"{maintenance.retention_days}d"},
                folders=("db", "s3"),
            )
        if settings.tested_release.needs_session_pruning:
            _cron_job(
                self,
                "SessionPruning",
                settings=settings,
                name="mlflow-prune-sessions",
                schedule=maintenance.session_pruning_schedule,
                program_name="prune-sessions",
                flags={},
                folders=("db",),
            )
        if settings.backup.target:
            _cron_job(
                self,
                "Dump",
                settings=settings,
                name="mlflow-dump",
                schedule=settings.backup.schedule,
                program_name="dump",
                flags={"keep-days": settings.backup.keep_days, "keep-at-least": settings.backup.keep_at_least},
                folders=("db", "backup"),
                component="backup",
                environment=backup_environment(settings),
                maximum_seconds=settings.backup.maximum_seconds,
            )
        if settings.ends_access:
            _cron_job(
                self,
                "EndAccess",
                settings=settings,
                name="mlflow-end-access",
                schedule=maintenance.end_access_schedule,
                program_name="end-access",
                flags={},
                folders=("db", "directory"),
                component="end-access",
                environment=end_access_environment(settings),
            )


def _cron_job(
    scope: Construct,
    id: str,
    *,
    settings: Settings,
    name: str,
    schedule: str,
    program_name: str,
    flags: Mapping[str, str | int],
    folders: Sequence[str],
    component: Component = "maintenance",
    environment: Mapping[str, str] | None = None,
    maximum_seconds: int = 3600,
) -> None:
    mounts = Mounts(settings, folders=folders, temporary_size="1Gi")
    container = program(
        program_name,
        program_arguments(program_name, flags),
        settings=settings,
        env=environment_variables(environment or job_environment(settings)),
        volume_mounts=mounts.container_mounts,
        resources=resources(cpu=("100m", "1"), memory=("384Mi", "1Gi"), disk=("64Mi", "2Gi")),
    )
    template = k8s.PodTemplateSpec(
        metadata=pod_metadata(settings, component, annotations=eviction(safe=True)),
        spec=pod(settings, mounts=mounts, containers=[container], restart_policy="Never"),
    )
    job_metadata = k8s.ObjectMeta(labels=pod_labels(component, settings.instance))
    job = k8s.JobSpec(backoff_limit=1, active_deadline_seconds=maximum_seconds, template=template)
    k8s.KubeCronJob(
        scope,
        id,
        metadata=metadata(name, namespace=settings.namespace, component=component),
        spec=k8s.CronJobSpec(
            schedule=schedule,
            time_zone="Etc/UTC",
            concurrency_policy="Forbid",
            starting_deadline_seconds=3600,
            successful_jobs_history_limit=1,
            failed_jobs_history_limit=3,
            job_template=k8s.JobTemplateSpec(metadata=job_metadata, spec=job),
        ),
    )
