"""The Job that brings both databases to the release's schema before the server starts."""

import hashlib
import json

from cdk8s_plus_27 import k8s
from constructs import Construct

from cdk8s_mlflow.metadata import WAVE_MIGRATION, eviction, metadata
from cdk8s_mlflow.pods import Mounts, environment_variables, pod, pod_metadata, program, resources
from cdk8s_mlflow.server_environment import backup_environment, migration_environment, program_arguments
from cdk8s_mlflow.settings import Settings

RETRYABLE = 75
"""Exit code of ``mlflow-sso migrate`` when the database cannot be reached (EX_TEMPFAIL of sysexits.h)."""

_ONE_YEAR = 365 * 24 * 3600

# A Job's template is immutable: should the same name ever have
# another content, Flux deletes and creates instead of failing.
_FLUX_REPLACES = {"kustomize.toolkit.fluxcd.io/force": "enabled"}


class MigrationJob(Construct):
    """A Job whose name follows from its content: another image or command creates a new one, the same bytes none.

    Exposes ``name``.
    """

    def __init__(self, scope: Construct, id: str, *, settings: Settings) -> None:
        super().__init__(scope, id)
        spec = _spec(settings)
        self.name = _name(settings, spec)
        k8s.KubeJob(
            self,
            "Resource",
            metadata=metadata(
                self.name,
                namespace=settings.namespace,
                component="migration",
                wave=WAVE_MIGRATION,
                more=_FLUX_REPLACES,
            ),
            spec=spec,
        )


def migration_name(settings: Settings) -> str:
    """Name of the Job of these settings."""
    return _name(settings, _spec(settings))


def _name(settings: Settings, spec: k8s.JobSpec) -> str:
    return f"{settings.name}-db-migration-{_digest(spec, settings.migration.run)}"


def _digest(spec: k8s.JobSpec, run: int) -> str:
    # The manifest, not the class: a jsii object has no content that could be hashed.
    manifest = k8s.KubeJob.manifest(spec=spec)
    return hashlib.sha256(json.dumps([manifest["spec"], run], sort_keys=True).encode()).hexdigest()[:10]


def _spec(settings: Settings) -> k8s.JobSpec:
    return k8s.JobSpec(
        # For failures that are neither retryable nor final, as a pod killed for its memory.
        backoff_limit=6,
        # Pending time counts, and on a first install the Secrets may come late.
        active_deadline_seconds=settings.migration.deadline_seconds,
        # A Job that removes itself soon is created again by every sync, for ever.
        ttl_seconds_after_finished=_ONE_YEAR,
        pod_failure_policy=k8s.PodFailurePolicy(rules=_failure_rules(settings)),
        template=_template(settings),
    )


def _failure_rules(settings: Settings) -> list[k8s.PodFailurePolicyRule]:
    def on(action: str, code: int, container: str = "migrate") -> k8s.PodFailurePolicyRule:
        codes = k8s.PodFailurePolicyOnExitCodesRequirement(container_name=container, operator="In", values=[code])
        return k8s.PodFailurePolicyRule(action=action, on_exit_codes=codes, on_pod_conditions=[])

    disrupted = k8s.PodFailurePolicyOnPodConditionsPattern(type="DisruptionTarget", status="True")
    # A rule names one container, so the init container needs rules of its own.
    dump = [on("Ignore", RETRYABLE, "dump"), on("FailJob", 1, "dump")] if settings.dumps_before_migration else []
    return [
        on("Ignore", RETRYABLE),
        # Exit code 1 is a fault that another try cannot cure, such as a schema that is newer than the image.
        on("FailJob", 1),
        *dump,
        # A drained node or a preempted pod is no fault of the migration.
        k8s.PodFailurePolicyRule(action="Ignore", on_pod_conditions=[disrupted]),
    ]


def _template(settings: Settings) -> k8s.PodTemplateSpec:
    folders = ("db", "backup") if settings.dumps_before_migration else ("db",)
    mounts = Mounts(settings, folders=folders, temporary_size="256Mi")
    migrate = program(
        "migrate",
        program_arguments("migrate", _flags(settings)),
        settings=settings,
        env=environment_variables(migration_environment(settings)),
        # The keys of the bucket with dumps are for the init container only.
        volume_mounts=mounts.only("db"),
        resources=resources(cpu=("100m", "1"), memory=("384Mi", "1Gi"), disk=("64Mi", "512Mi")),
    )
    dump = [_dump(settings, mounts)] if settings.dumps_before_migration else None
    return k8s.PodTemplateSpec(
        # Evicted, a migration starts anew, and an upgrade of a large database is one long transaction.
        metadata=pod_metadata(settings, "migration", annotations=eviction(safe=False)),
        spec=pod(settings, mounts=mounts, containers=[migrate], restart_policy="Never", init_containers=dump),
    )


def _flags(settings: Settings) -> dict[str, int]:
    migration = settings.migration
    # In the arguments and so in the name: with another limit a migration that failed by the old one is run again.
    return {"timeout": migration.wait_seconds, "maximum-lock-seconds": migration.maximum_lock_seconds}


def _dump(settings: Settings, mounts: Mounts) -> k8s.Container:
    """Dumps both databases if the migration will change one of them; it starts once the dump is complete."""
    return program(
        "dump",
        ["dump", "--before-migration", "--timeout", str(settings.migration.wait_seconds)],
        settings=settings,
        env=environment_variables(backup_environment(settings)),
        volume_mounts=mounts.container_mounts,
        resources=resources(cpu=("100m", "1"), memory=("384Mi", "1Gi"), disk=("64Mi", "512Mi")),
    )
