"""A change that only a real node notices is noticed, and by which check.

All mutants run at once, each in a namespace of its own beside the unchanged environment, whose databases, secrets and
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
from node_mutations import MUTATIONS, ROLLOUT

from live.node.backing import KEYCLOAK_HOST
from live.node.environment import with_changes
from live.node.node import Node, NodeError
from live.node.workload import Workloads

pytestmark = pytest.mark.servers

SETTINGS = {
    **COMMON,
    "instance": "mlflow-mutant",
    "release": "3.17.2",
    # All mutants have to fit on the one node.
    "server": {**COMMON["server"], "replicas": 1, "resources": {"cpu_request": "50m"}},
    "ingress": {"host": "original.mutant.cluster.test", "cluster_issuer": None},
    "authentication": {"keycloak_host": KEYCLOAK_HOST},
}
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
    patience: float
    """Seconds within which pods must be ready."""

    def pods_become_ready(self) -> None:
        """All pods of the only template."""
        self._workloads.wait_rolled_out(seconds=self.patience)

    def traefik_reaches_the_server(self) -> None:
        """It learns of a change a moment later."""

        def answers() -> bool:
            with self.deployment.client() as client, suppress(httpx.HTTPError):
                return client.get("/health", timeout=5).text == "OK"
            return False

        self._wait("Traefik", answers)

    def only_tmp_is_writable(self) -> None:
        """Of the folders of a running container."""
        found = self._workloads.kubectl(
            "exec", "deploy/mlflow", "--container", "mlflow", "--", "python", "-c", WRITABLE
        )
        assert found == ""

    def exit_code_1_ends_the_migration(self) -> None:
        """At once: a second try would fail likewise."""
        (file,) = self.deployment.manifests.glob("application/Job.*.yaml")
        job = yaml.safe_load(file.read_text())
        job["metadata"]["name"] = "failing"
        pod = job["spec"]["template"]["spec"]
        pod.pop("initContainers", None)
        (migrate,) = pod["containers"]
        migrate |= {"command": ["python"], "args": ["-c", "raise SystemExit(1)"]}
        self.deployment.node.kubectl("create", "--filename", "-", stdin=yaml.safe_dump(job))
        self._workloads.kubectl("wait", "job/failing", "--for=condition=Failed", "--timeout=30s")
        failed = self.deployment.node.get("job", "failing", "--namespace", self.deployment.namespace)["status"]
        assert failed["failed"] == 1

    def one_pod_may_be_evicted(self) -> None:
        """As the disruption controller counts, if there are two."""
        if self.deployment.settings.server.replicas == 1:
            return

        def allowed() -> bool:
            budget = self.deployment.node.get("poddisruptionbudget", "mlflow", "--namespace", self.deployment.namespace)
            counted = {"observedGeneration": budget["metadata"]["generation"], "expectedPods": 2}
            return {**counted, "disruptionsAllowed": 1}.items() <= budget.get("status", {}).items()

        self._wait("the budget", allowed)

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

    def noticed_by(self) -> str:
        """Name of the first check that fails."""
        return next((check.__name__ for check in self.all if not passes(check)), "nothing")

    @property
    def _workloads(self) -> Workloads:
        return Workloads(node=self.deployment.node, namespace=self.deployment.namespace)

    def _wait(self, what: str, done: Callable[[], bool]) -> None:
        self.deployment.node.wait(what, done, seconds=20)


def passes(check: Callable[[], None]) -> bool:
    """Whether a check finds nothing to say."""
    try:
        check()
    except (AssertionError, NodeError):
        return False
    return True


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
def original(prepare: Callable[..., Deployment], rendered: list[Deployment]) -> Iterator[Deployment]:
    """The unchanged environment, whose migration is complete, and the mutants beside it."""
    deployment = prepare("mutant", **with_changes(SETTINGS, {"server.replicas": 2}))
    node, namespaces = deployment.node, [one.namespace for one in (deployment, *rendered)]
    node.apply(deployment.manifests / "database", deployment.manifests / "application")
    (job,) = deployment.manifests.glob("application/Job.*.yaml")
    Workloads(node=node, namespace=deployment.namespace).wait_job(yaml.safe_load(job.read_text())["metadata"]["name"])
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(apply_without_migration, rendered))
    yield deployment
    node.kubectl("delete", "namespace", *namespaces, "--wait=false")


def apply_without_migration(mutant: Deployment) -> None:
    mutant.prepare_namespace(mutant.node)
    files = [file for file in (mutant.manifests / "application").iterdir() if not file.name.startswith("Job.")]
    mutant.node.apply(*files)


@pytest.fixture(scope="module")
def noticed_by(original: Deployment, rendered: list[Deployment]) -> Iterator[Mapping[str, "Future[str]"]]:
    """For each mutation's name the check that notices it, soon.

    Pods have as long as all those need that shall become ready among the others, and a little longer.
    """
    begin = time.monotonic()
    for mutation, deployment in zip(MUTATIONS, rendered, strict=True):
        if mutation.noticed_by != ROLLOUT:
            passes(Checks(deployment=deployment, patience=max(1, 240 + begin - time.monotonic())).pods_become_ready)
    checks = [Checks(deployment=deployment, patience=10) for deployment in rendered]
    with ThreadPoolExecutor(len(checks)) as threads:
        yield {mutation.name: threads.submit(one.noticed_by) for mutation, one in zip(MUTATIONS, checks, strict=True)}


def test_unchanged_environment_passes_every_check(original: Deployment) -> None:
    checks = Checks(deployment=original, patience=240)

    for check in checks.all:
        check()


@pytest.mark.parametrize("mutation", MUTATIONS, ids=str)
def test_mutation_is_noticed(noticed_by: Mapping[str, "Future[str]"], mutation: Mutation) -> None:
    assert noticed_by[mutation.name].result() == mutation.noticed_by
