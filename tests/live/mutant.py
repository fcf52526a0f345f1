"""A system whose constructs were changed in one place, and the checks that look for what no longer works.

The checks are the tests of the whole system themselves, called one after the other until one fails.
"""

import inspect
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import test_client_examples as examples
import test_system as whole
import yaml
from mutation import Mutation
from people import Member, join
from rendered_environments import rendered_again

from live.node.node import NodeError
from live.users import User
from testbed.system import System

NOTHING = "nothing"
DEPLOYMENT = "Deployment.mlflow.k8s.yaml"


@dataclass(kw_only=True)
class Mutant:
    """One changed rendering of ``original``, which has been delivered, in its place."""

    original: System
    mutation: Mutation
    folder: Path

    @cached_property
    def system(self) -> System:
        """Not yet applied; it has the original's users and clients."""
        environment = rendered_again(
            self.original,
            self.folder / "rendering",
            changes=self.mutation.changes,
            constructs=self.mutation.constructs(self.folder / "constructs"),
        )
        self._put_aside(environment.manifests / "application" / DEPLOYMENT)
        system = System(environment, node=self.original.node)
        system.users, system.client_pod = self.original.users, self.original.client_pod
        return system

    def _put_aside(self, file: Path) -> None:
        """Keep the Deployment for later, with a template that is always new, since pods read Secrets at their start."""
        deployment = yaml.safe_load(file.read_text())
        deployment["spec"]["template"]["metadata"]["annotations"]["mutation"] = self.folder.name
        (self.folder / DEPLOYMENT).write_text(yaml.safe_dump(deployment))
        file.unlink()

    def the_bootstrap_succeeds(self) -> None:
        """Keycloak, bucket and secrets become what the changed constructs want."""
        self.system.bootstrap.succeed("apply")

    def the_migration_job_succeeds(self) -> None:
        """All but the Deployment is applied; a Job with the name of one that has run is left as it is."""
        self.system.apply()
        self.system.workloads.wait_job(self.system.migration, attempts=False)

    def a_pod_becomes_ready(self) -> None:
        """The only pod is replaced, and Traefik knows it."""
        templates = {pod.revision for pod in self.system.workloads.pods()}
        self.system.node.apply(self.folder / DEPLOYMENT)
        self.system.workloads.wait_replaced(templates)
        self.system.wait_routed()

    def remove(self) -> None:
        """End what goes on trying; the next one replaces all else."""
        if self.system.migration != self.original.migration:
            self.system.workloads.kubectl("delete", "job", self.system.migration, "--ignore-not-found")

    @property
    def checks(self) -> Iterator[Callable[..., None]]:
        """In the order in which an operator meets what is broken."""
        yield self.the_bootstrap_succeeds
        yield self.the_migration_job_succeeds
        yield self.a_pod_becomes_ready
        yield from CHECKS

    def noticed_by(self) -> tuple[str, str]:
        """Name of the first check that fails, and why.

        Raises:
            NodeError: the node itself fails, or is too slow, which says nothing about the change.
        """
        for check in self.checks:
            if reason := failure(check, self.system):
                return name_of(check), reason
        return NOTHING, ""


CHECKS: tuple[Callable[..., None], ...] = (
    whole.test_login_link_leads_to_keycloak_with_redirect,
    whole.test_only_members_of_admin_group_are_administrators,
    whole.test_user_in_no_group_stays_outside,
    whole.test_access_key_stores_and_reads_an_artifact,
    whole.test_traefik_routes_neither_metrics_nor_other_hosts,
    examples.test_training_is_logged_and_loaded_with_key,
)


def failure(check: Callable[..., None], system: System) -> str:
    """What a check says against a system; empty if it passes.

    Raises:
        NodeError: it could not be tried.
    """
    try:
        run(check, system)
    except Exception as error:
        if type(error) is NodeError:
            raise
        return repr(error)
    return ""


def run(check: Callable[..., None], system: System) -> None:
    """Call a check with what its parameters name."""
    given = _Given(system)
    check(**{name: getattr(given, name) for name in inspect.signature(check).parameters})


@dataclass
class _Given:
    """What tests of the system ask for."""

    system: System

    @cached_property
    def new_user(self) -> User:
        # Another one for each mutant, since the realm keeps its users.
        user = User(name=f"mutant{time.monotonic_ns()}", group=self.system.settings.authentication.user_group)
        self.system.add_users(user)
        return user

    @cached_property
    def member(self) -> Member:
        return join(self.system)


def name_of(check: Any) -> str:
    """As a mutation says who notices it."""
    return str(check.__name__).removeprefix("test_")
