"""The environment ``local`` as it is committed, on a node of this machine; a second release runs beside it."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from cdk8s_mlflow.settings import load
from cdk8s_mlflow.settings.sources import read_document
from live.image.archive import take_image
from live.node.backing import BackingServices, kept_passwords
from live.node.environment import Environment, with_changes
from live.node.flux import Flux
from live.node.node import Node
from live.node.site import Say, running_site
from live.users import Realm, User, first_users

ROOT = Path(__file__).parents[1]
FILE = ROOT / "environments" / "local.yaml"
HTTPS_PORT, API_PORT = 30443, 30644
PORTS: Mapping[str, int] = {
    "keycloak": 30444,
    "minio": 30900,
    "postgres": 30432,
    "redis": 30379,
    "openbao": 30820,
    "consensus": 30821,
}
"""Fixed, so that environments/local.yaml can name them for bootstrap.py, and a kubeconfig stays right."""

SECOND = {
    "instance": "mlflow-second",
    "namespace": "mlflow-second",
    "secrets.vault_prefix": "mlflow-second",
    "authentication.machine_client": "mlflow-second-machines",
    "authentication.redis.database": 1,
    "ingress.host": "second.localhost",
}
"""By which the second environment differs from ``local``: it owns nothing of the first one's."""


class Local:
    """Starts everything; also a context manager.

    ``releases`` has one or two; the first is delivered as ``local``. ``folder`` keeps data; the users' passwords are
    kept beside it. Exposes ``node``, ``backing``, ``environments`` and ``users`` by name.
    """

    def __init__(self, releases: Sequence[str], *, folder: Path, say: Say) -> None:
        self._releases, self._folder, self._say = releases, folder, say
        self._stack = ExitStack()
        settings = load(FILE)
        hosts = [settings.ingress.host, SECOND["ingress.host"]]
        keycloak = settings.authentication.keycloak_host
        self.backing = BackingServices.create(
            folder / "backing", hosts=[str(host) for host in hosts], keycloak_host=keycloak, ports=PORTS
        )
        self.node = Node(data=folder / "node", names=[keycloak], port=API_PORT, https_port=HTTPS_PORT)
        self.environments: list[Environment] = []
        self.users: Mapping[str, User] = {}

    def __enter__(self) -> Self:
        try:
            self._start()
        # __exit__ is not called if __enter__ fails, nor after Ctrl-C in the middle of it.
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _start(self) -> None:
        environments = [self._written(number, release) for number, release in enumerate(self._releases)]
        references = [(one.settings.release, one.settings.image_reference) for one in environments]

        def import_images(node: Node) -> None:
            for release, reference in references:
                take_image(node, release, reference)
                self._say(f"the node has the image of MLflow {release}")

        self._stack.enter_context(running_site(self.node, self.backing, prepare=import_images, say=self._say))
        flux = Flux(self.node)
        for environment in environments:
            environment.prepare(self.node)
        self._add_users(environments)
        self._say("bootstrap.py has created realm, clients, bucket and secrets")
        for environment in environments:
            environment.deliver(flux)
            self._say(f"Flux has delivered MLflow {environment.settings.release}")
        self.environments = environments

    def _written(self, number: int, release: str) -> Environment:
        changes: Mapping[str, Any] = SECOND if number else {}
        # As committed, so that what runs is what dist/ says.
        if release == load(FILE).release and not changes:
            return Environment(file=FILE, dist=ROOT / "dist", backing=self.backing)
        folder = self._folder / "environments"
        file = folder / f"{'second' if number else FILE.stem}.yaml"
        environment = Environment(file=file, dist=folder / "dist", backing=self.backing)
        environment.render(with_changes(read_document(FILE), {"release": release, **changes}))
        return environment

    def _add_users(self, environments: Sequence[Environment]) -> None:
        first, *others = environments
        wanted = first_users(first.settings)
        # Kept beside the data: Keycloak's database is kept, and has them.
        password = kept_passwords(self._folder.parent / "users.json", [user.name for user in wanted])
        self.users = {u.name: User(name=u.name, group=u.group, password=password[u.name]) for u in wanted}
        Realm(settings=first.settings, server=self.backing.keycloak).welcome(*self.users.values())
        for other in others:
            for user in first_users(other.settings):
                if user.group:
                    other.bootstrap.succeed("add-user-to-group", user.name, user.group)
