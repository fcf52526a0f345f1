"""Outages that only Kubernetes knows of, whose alerts need kube-state-metrics; as those of outages.py otherwise."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

from outages import Drill, Feed, another_schema, changed_end_access, end_access, nothing
from worker import Worker

from live.node.node import NodeError
from testbed.node.outage import outage, withdrawn
from testbed.system import System


@contextmanager
def pods_end(system: System, worker: Worker) -> Iterator[Feed]:
    """Something ends the server again and again."""
    end = ("python", "-c", "import os, signal; os.kill(1, signal.SIGTERM)")

    def end_all() -> None:
        for pod in system.workloads.pods():
            # Between two lives there is nothing to end.
            with suppress(NodeError):
                system.workloads.kubectl("exec", pod.name, "--container", "mlflow", "--", *end)

    yield end_all
    system.workloads.wait_rolled_out()
    system.wait_public()


def _migrate_again(system: System) -> None:
    """Have the migration's Job a second time, as `migration.run` does."""
    (job,) = (system.environment.manifests / "application").glob("Job.*.yaml")
    system.workloads.kubectl("delete", "job", system.migration)
    system.node.apply(job)


@contextmanager
def migration_refuses(system: System, worker: Worker) -> Iterator[Feed]:
    """The image was put back, and its migration meets the databases of the newer one."""
    with another_schema(system, worker):
        _migrate_again(system)
        yield nothing
    _migrate_again(system)
    system.workloads.wait_job(system.migration)


@contextmanager
def migration_waits(system: System, worker: Worker) -> Iterator[Feed]:
    """PostgreSQL is away when the databases are to be migrated."""
    with outage(system.node, system.backing.postgres):
        _migrate_again(system)
        yield nothing
    system.workloads.wait_job(system.migration)


@contextmanager
def due_run_fails(system: System, worker: Worker) -> Iterator[Feed]:
    """Keycloak cannot be reached when end-access is due, which is each minute here."""
    with withdrawn(system.node, system.backing.keycloak), changed_end_access(system, schedule="* * * * *"):
        yield nothing
    end_access(system, "late", succeeds=True)


KUBERNETES_DRILLS: Mapping[str, Drill] = {
    "MlflowRestarting": Drill(cause=pods_end, named="Deployment mlflow"),
    "MlflowMigrationFailed": Drill(cause=migration_refuses, named="Job mlflow-db-migration"),
    "MlflowMigrationPending": Drill(cause=migration_waits, named="in the pod"),
    "MlflowJobLate": Drill(cause=due_run_fails, named="in the pod"),
}
"""By the alert that notices it."""
