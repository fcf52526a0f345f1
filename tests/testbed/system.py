"""One environment on the node, delivered by kubectl in the documented order, and used through Traefik."""

import ssl
import time
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import httpx
import yaml

from cdk8s_mlflow.settings import Settings
from live.image.archive import take_image
from live.node.backing import BackingServices
from live.node.environment import Environment
from live.node.node import Node
from live.provisioning import Bootstrap
from live.users import Realm, User, first_users
from testbed.node.access import PublicTransport
from testbed.node.client import ClientPod
from testbed.node.secrets_sync import wait_synchronized
from testbed.node.workload import Workloads


class System:
    """``environment``, which is rendered already; also a context manager.

    Exposes ``node``, ``backing``, ``environment``, ``settings``, ``workloads`` of its namespace, ``client_pod`` and
    ``users`` by name.
    """

    def __init__(self, environment: Environment, *, node: Node) -> None:
        self.node = node
        self.users: dict[str, User] = {}
        self.take(environment)
        self.workloads = Workloads(node=node, namespace=environment.namespace)

    def take(self, environment: Environment) -> None:
        """Be another rendering of the same environment from now on, as after a commit; nothing is applied."""
        self.environment = environment
        self.settings: Settings = environment.settings

    @property
    def backing(self) -> BackingServices:
        """What all environments share."""
        return self.environment.backing

    @property
    def url(self) -> str:
        """The public address, without a slash at the end."""
        return self.settings.ingress.public_url

    @property
    def bootstrap(self) -> Bootstrap:
        """``bootstrap.py`` of this environment."""
        return self.environment.bootstrap

    @cached_property
    def realm(self) -> Realm:
        """Where users are created."""
        return Realm(settings=self.settings, server=self.backing.keycloak)

    @cached_property
    def client_pod(self) -> ClientPod:
        """Where programs with the release's client run."""
        return ClientPod(
            node=self.node,
            namespace=f"{self.workloads.namespace}-clients",
            image=self.settings.image_reference,
            authority=self.backing.certificate.ca,
        )

    def client(self, *, retries: int = 0, context: ssl.SSLContext | None = None, **options: Any) -> httpx.Client:
        """A client of every public name, the public address first; it tries ``retries`` times more to connect.

        It trusts the authority of the backing services, or what ``context`` does.
        """
        trusted = context or self.backing.certificate.context()
        transport = PublicTransport(self.node.https_port, verify=trusted, retries=retries)
        return httpx.Client(transport=transport, base_url=self.url, **{"timeout": 120, **options})

    def add_users(self, *users: User) -> None:
        """Create users of the realm; each is in ``users`` by its name then."""
        self.realm.welcome(*users)
        self.users |= {user.name: user for user in users}

    def start(self) -> Self:
        """Prepare and deliver it, and wait until the public address answers.

        Raises:
            ProvisioningError: the bootstrap fails.
            NodeError: an object is refused, the migration fails, or a pod does not become ready.
        """
        self._import_image()
        self.environment.prepare(self.node)
        self.add_users(*first_users(self.settings))
        self.deliver()
        return self

    def _import_image(self) -> None:
        take_image(self.node, self.settings.release, self.settings.image_reference)

    def deliver(self) -> None:
        """Apply all objects, and wait until the migration is complete and the pods serve.

        Raises:
            NodeError: an object is refused, the migration fails, or a pod does not become ready.
        """
        self.apply()
        self.workloads.wait_job(self.migration)
        self.workloads.wait_rolled_out()
        # Until then Traefik may lead to a pod that ends.
        self.wait_routed()
        self.wait_public()

    def apply(self) -> None:
        """Apply all objects, those that start pods once the Secrets are there, as Argo CD's waves do.

        A pod that starts before has the Secrets of an older rendering until the kubelet renews its files.

        Raises:
            NodeError: one is refused, or a Secret cannot be fetched.
        """
        folders = [self.environment.manifests / name for name in ("database", "application")]
        files = [file for folder in folders for file in folder.glob("*.yaml")]
        workloads = {file for file in files if file.name.startswith(("Job.", "Deployment."))}
        self.node.apply(*sorted({*files} - workloads))
        self.wait_secrets()
        if workloads:
            self.node.apply(*sorted(workloads))

    def wait_public(self) -> None:
        """Wait until Traefik leads to a pod.

        Raises:
            NodeError: it takes longer than ten minutes.
        """
        with self.client() as client:
            self.node.wait(self.url, lambda: _status(client, "/health") == 200)

    def wait_routed(self) -> None:
        """Wait until Traefik knows all that the API server has known until now.

        A new route tells: Traefik takes over all objects at once.

        Raises:
            NodeError: it takes longer than ten minutes.
        """
        name = f"m{time.monotonic_ns()}"
        document = Path(__file__).with_name("marker.yaml").read_text().replace("MARKER", name)
        where = ["--namespace", self.workloads.namespace]
        self.node.kubectl("apply", "--server-side", *where, "--filename", "-", stdin=document)
        with self.client() as client:
            self.node.wait("Traefik", lambda: _status(client, "/", Host=name) not in (0, 404))

    @property
    def migration(self) -> str:
        """Name of the migration's Job."""
        (file,) = (self.environment.manifests / "application").glob("Job.*.yaml")
        name: str = yaml.safe_load(file.read_text())["metadata"]["name"]
        return name

    def sync_secrets(self) -> None:
        """Have External Secrets fetch every value now, as docs/tasks/rotate.md does, and wait until it has."""
        # Another value than before is all that External Secrets looks for.
        stamp = str(time.time_ns())
        for namespace in (self.workloads.namespace, "postgres"):
            where = ["--namespace", namespace]
            self.node.kubectl("annotate", "externalsecret", "--all", f"force-sync={stamp}", "--overwrite", *where)
        self.wait_secrets()

    def wait_secrets(self) -> None:
        """Wait until every Secret has what its ExternalSecret says now.

        Raises:
            NodeError: it takes longer than ten minutes.
        """
        wait_synchronized(self.node, self.workloads.namespace)

    def become(self, environment: Environment) -> None:
        """Apply another rendering of the same environment, and delete what it has no longer.

        Raises:
            ProvisioningError: the bootstrap fails.
            NodeError: the migration fails, or a new pod does not become ready; the old ones stay.
        """
        before = self.environment
        gone = _objects(before) - _objects(environment)
        self.take(environment)
        try:
            if environment.settings.image_reference != before.settings.image_reference:
                self._import_image()
            self.bootstrap.succeed("apply")
            self.deliver()
        except BaseException:
            self.take(before)
            raise
        # Only now, as Argo CD's PruneLast does: an old object may serve until the new ones do.
        for kind, name in sorted(gone):
            self.workloads.kubectl("delete", kind, name)

    def stop(self) -> None:
        """Delete its pods; what it has in the backing services stays."""
        for namespace in (self.workloads.namespace, self.client_pod.namespace):
            self.node.kubectl("delete", "namespace", namespace, "--ignore-not-found", "--wait=false")

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def _objects(environment: Environment) -> set[tuple[str, str]]:
    """Kind and name of the objects in the environment's own namespace."""
    return {(body["kind"], body["metadata"]["name"]) for body in _bodies(environment.manifests / "application")}


def _bodies(folder: Path) -> Iterator[dict[str, Any]]:
    for file in sorted(folder.glob("*.yaml")):
        yield yaml.safe_load(file.read_text())


def _status(client: httpx.Client, path: str, **headers: str) -> int:
    """Of an answer; zero while there is none, as from a Traefik that is only about to listen."""
    try:
        return client.get(path, headers=headers).status_code
    except httpx.TransportError:
        return 0
