"""A system whose constructs were changed in one place, and the checks that look for what no longer works.

The checks are the tests of the whole system themselves, called one after the other until one fails.
"""

import inspect
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import test_client_examples as examples
import test_system as whole
from mutations import Mutation
from people import Member, join

from live.cluster.image import ROOT
from live.rendering import Rendering
from live.system import System
from live.users import User

NOBODY = "nobody"


def changed_constructs(mutation: Mutation, folder: Path) -> Path:
    """A copy of the constructs with the mutation in it."""
    shutil.copytree(ROOT / "constructs", folder, ignore=shutil.ignore_patterns("__pycache__"))
    module = folder / "cdk8s_mlflow" / mutation.module
    text = module.read_text()
    assert text.count(mutation.was) == 1, f"{mutation.was} stands {text.count(mutation.was)} times in {module}"
    module.write_text(text.replace(mutation.was, mutation.becomes))
    return folder


@dataclass(kw_only=True)
class Mutant:
    """One changed system between the neighbours of ``original``, which has provisioned and migrated them."""

    original: System
    mutation: Mutation
    folder: Path
    patience: float
    """Seconds until a pod must be ready."""

    @cached_property
    def system(self) -> System:
        """Not yet started; it has the original's users."""
        release = self.original.settings.release
        constructs = changed_constructs(self.mutation, self.folder / "constructs")
        changes = {**self.original.rendering.changes, **self.mutation.changes}
        rendering = Rendering.copy(self.folder / "rendering", release=release, changes=changes, constructs=constructs)
        system = System(rendering, self.original.neighbours, folder=self.folder)
        system.users = self.original.users
        return system

    def the_bootstrap_succeeds(self) -> None:
        """Keycloak, databases, bucket and secrets become what the changed constructs want."""
        self.system.bootstrap.succeed("apply")

    def the_migration_job_succeeds(self) -> None:
        """The Secrets are made; a Job with the content of one that has run is left alone, as in a cluster."""
        self.system.cluster.sync_secrets()
        if self.system.cluster.objects.one("Job") != self.original.cluster.objects.one("Job"):
            self.system.cluster.migrate()

    def a_pod_becomes_ready(self) -> None:
        """The Deployment's only pod starts behind the door."""
        self.system.door.start()
        self.system.cluster.deployment.start()
        self.system.cluster.deployment.pods[0].wait_ready(self.patience)

    @property
    def checks(self) -> Iterator[Callable[..., None]]:
        """In the order in which somebody would meet what is broken."""
        yield self.the_bootstrap_succeeds
        yield self.the_migration_job_succeeds
        yield self.a_pod_becomes_ready
        yield from CHECKS

    def noticed_by(self) -> str:
        """Name of the first check that fails."""
        return next((name_of(check) for check in self.checks if not passes(check, self.system)), NOBODY)


CHECKS = (
    whole.test_the_login_link_leads_to_keycloak_with_our_redirect_uri_and_scope,
    whole.test_only_a_member_of_the_group_of_administrators_is_an_administrator,
    whole.test_a_user_in_no_group_is_told_so_and_stays_outside,
    whole.test_an_access_key_sends_an_artifact_through_the_proxy_and_gets_it_back,
    whole.test_the_door_knows_neither_metrics_nor_another_host,
    examples.test_a_training_is_logged_registered_and_loaded_back_with_an_access_key,
)


def passes(check: Callable[..., None], system: System) -> bool:
    """Whether a check says yes of a system; whatever it raises is a no."""
    try:
        run(check, system)
    except Exception:
        return False
    return True


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
        user = User(name=f"mutant{time.monotonic_ns()}", group=self.system.settings.authentication.user_group)
        self.system.add_users(user)
        return user

    @cached_property
    def member(self) -> Member:
        return join(self.system)

    @cached_property
    def tmp_path(self) -> Path:
        folder = self.system.folder / "client"
        folder.mkdir(parents=True)
        return folder


def name_of(check: Any) -> str:
    """As a mutation says who notices it."""
    return str(check.__name__).removeprefix("test_")


@contextmanager
def stopped_in_the_end(system: System, stop_later: Callable[[Callable[[], None]], Any]) -> Iterator[None]:
    """Closes the door at once, since the next system needs its port, and the pods when there is time."""
    try:
        yield
    finally:
        system.door.stop()
        stop_later(system.cluster.stop)
