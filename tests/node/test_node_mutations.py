"""A change that only a real node notices is noticed, and by which check.

Some mutants run at once, each in a namespace of its own beside the unchanged environment, whose databases, secrets and
clients they share.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from deployment import COMMON, Deployment
from mutation import Mutation
from node_mutations import MUTATIONS

from live.node.backing import KEYCLOAK_HOST
from live.node.environment import with_changes
from live.node.node import Node
from testbed.node.secrets_sync import wait_synchronized
from testbed.node.workload import PodError, Workloads

pytestmark = [pytest.mark.servers, pytest.mark.nightly]

SETTINGS = {
    **COMMON,
    "instance": "mlflow-mutant",
    "release": "3.17.2",
    "server": {**COMMON["server"], "replicas": 1},
    "ingress": {"host": "original.mutant.cluster.test", "cluster_issuer": None},
    "authentication": {"keycloak_host": KEYCLOAK_HOST},
}
AT_ONCE = 4
"""Mutants whose servers start beside each other: of a dozen on a busy machine some would not start in time."""
TRIES = 16
"""Of the unchanged environment, while which a mutant must have passed."""

WRITABLE = """
import os
for folder, below, _ in os.walk("/"):
    if folder == "/":
        below[:] = [name for name in below if name not in ("dev", "proc", "sys", "tmp")]
    if os.access(folder, os.W_OK):
        print(folder)
"""


@dataclass(frozen=True, kw_only=True)
class Checks:
    """What is asked of an applied environment; each check raises if it fails."""

    deployment: Deployment
    original: Deployment
    """Unchanged, and ready beside it."""

    def pods_become_ready(self) -> None:
        """All pods of the only template."""
        self._workloads.wait_replaced()

    def traefik_reaches_the_server(self) -> None:
        """It learns of a change a moment later."""

        def answers(deployment: Deployment) -> bool:
            with deployment.client() as client, suppress(httpx.HTTPError):
                return client.get("/health", timeout=5).text == "OK"
            return False

        self._compare("Traefik", answers)

    def only_tmp_is_writable(self) -> None:
        """Of the folders of a running container."""
        found = self._workloads.kubectl(
            "exec", "deploy/mlflow", "--container", "mlflow", "--", "python", "-c", WRITABLE
        )
        assert found == ""

    def exit_code_1_ends_the_migration(self) -> None:
        """At once: a second pod would fail likewise."""
        (file,) = self.deployment.manifests.glob("application/Job.*.yaml")
        job = yaml.safe_load(file.read_text())
        job["metadata"]["name"] = "failing"
        pod = job["spec"]["template"]["spec"]
        pod.pop("initContainers", None)
        (migrate,) = pod["containers"]
        migrate |= {"command": ["python"], "args": ["-c", "raise SystemExit(1)"]}
        self.deployment.node.kubectl("create", "--filename", "-", stdin=yaml.safe_dump(job))

        def decided() -> bool:
            status = self.deployment.node.get("job", "failing", "--namespace", self.deployment.namespace)["status"]
            ended = any(condition["type"] == "Failed" for condition in status.get("conditions", []))
            return ended or len(self._workloads.pods("job-name=failing")) > 1

        self.deployment.node.wait("the Job", decided)
        assert len(self._workloads.pods("job-name=failing")) == 1

    def one_pod_may_be_evicted(self) -> None:
        """As the disruption controller counts, if there are two."""
        if self.deployment.settings.server.replicas == 1:
            return

        def allowed(deployment: Deployment) -> bool:
            budget = deployment.node.get("poddisruptionbudget", "mlflow", "--namespace", deployment.namespace)
            counted = {"observedGeneration": budget["metadata"]["generation"], "expectedPods": 2}
            return {**counted, "disruptionsAllowed": 1}.items() <= budget.get("status", {}).items()

        self._compare("the budget", allowed)

    @property
    def all(self) -> tuple[Callable[[], None], ...]:
        """In the order in which an operator would meet what is broken."""
        return (
            self.pods_become_ready,
            self.traefik_reaches_the_server,
            self.only_tmp_is_writable,
            self.exit_code_1_ends_the_migration,
            self.one_pod_may_be_evicted,
        )

    def noticed_by(self) -> tuple[str, str]:
        """Name of the first check that fails, and why; raises ``NodeError`` if it is the node that fails."""
        for check in self.all:
            try:
                check()
            except (AssertionError, PodError) as error:
                return check.__name__, repr(error)
        return "nothing", ""

    @property
    def _workloads(self) -> Workloads:
        return Workloads(node=self.deployment.node, namespace=self.deployment.namespace)

    def _compare(self, what: str, holds: Callable[[Deployment], bool]) -> None:
        """Wait until it holds, for as long as it takes to hold TRIES times of the original: that is no clock."""
        if self.deployment is self.original:
            self.deployment.node.wait(what, lambda: holds(self.original))
            return
        for _ in range(TRIES):
            if holds(self.deployment):
                return
            self.deployment.node.wait(what, lambda: holds(self.original))
            time.sleep(0.5)
        raise AssertionError(f"{what}: it does not hold of the mutant")


@pytest.fixture(scope="module")
def rendered(node: Node, backing: Any, tmp_path_factory: pytest.TempPathFactory) -> list[Deployment]:
    """The environment after each mutation, not applied yet."""

    def made(numbered: tuple[int, Mutation]) -> Deployment:
        number, mutation = numbered
        folder: Path = tmp_path_factory.mktemp("mutant")
        deployment = Deployment(
            file=folder / "mutant.yaml",
            dist=folder / "dist",
            backing=backing,
            node=node,
            constructs=mutation.constructs(folder / "constructs"),
        )
        own = {"namespace": f"mutant-{number}", "ingress.host": f"m{number}.mutant.cluster.test"}
        deployment.render(with_changes(SETTINGS, {**own, **mutation.changes}))
        return deployment

    with ThreadPoolExecutor(2) as threads:
        return list(threads.map(made, enumerate(MUTATIONS)))


@pytest.fixture(scope="module")
def original(prepare: Callable[..., Deployment]) -> Iterator[Deployment]:
    """The unchanged environment, whose migration is complete, and whose pods are ready."""
    deployment = prepare("mutant", **with_changes(SETTINGS, {"server.replicas": 2}))
    node = deployment.node
    node.apply(deployment.manifests / "database", deployment.manifests / "application")
    (job,) = deployment.manifests.glob("application/Job.*.yaml")
    workloads = Workloads(node=node, namespace=deployment.namespace)
    workloads.wait_job(yaml.safe_load(job.read_text())["metadata"]["name"])
    workloads.wait_rolled_out()
    yield deployment
    node.kubectl("delete", "namespace", deployment.namespace, "--wait=false")


def apply_without_migration(mutant: Deployment) -> None:
    mutant.prepare_namespace(mutant.node)
    folder = mutant.manifests / "application"
    mutant.node.apply(*(file for file in folder.iterdir() if not file.name.startswith(("Deployment.", "Job."))))
    # A pod that cannot be created or mount its Secrets is a sign of failure only if all else is there.
    wait_synchronized(mutant.node, mutant.namespace)
    mutant.node.apply(*folder.glob("Deployment.*"))


@pytest.fixture(scope="module")
def noticed_by(original: Deployment, rendered: list[Deployment]) -> Iterator[Mapping[str, "Future[tuple[str, str]]"]]:
    """For each mutation's name the check that notices it, and why, soon."""

    def noticed(mutant: Deployment) -> tuple[str, str]:
        try:
            apply_without_migration(mutant)
            return Checks(deployment=mutant, original=original).noticed_by()
        finally:
            mutant.node.kubectl("delete", "namespace", mutant.namespace, "--ignore-not-found", "--wait=false")

    with ThreadPoolExecutor(AT_ONCE) as threads:
        yield {mutation.name: threads.submit(noticed, one) for mutation, one in zip(MUTATIONS, rendered, strict=True)}


def test_unchanged_environment_passes_every_check(original: Deployment) -> None:
    checks = Checks(deployment=original, original=original)

    for check in checks.all:
        check()


@pytest.mark.parametrize("mutation", MUTATIONS, ids=str)
def test_mutation_is_noticed(noticed_by: Mapping[str, "Future[tuple[str, str]]"], mutation: Mutation) -> None:
    check, reason = noticed_by[mutation.name].result()

    assert check == mutation.noticed_by, reason
