"""The environment ``local`` as it is committed, on a node of this machine; a second release runs beside it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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


@dataclass(frozen=True, kw_only=True)
class Local:
    """What runs: the first of ``environments`` is ``local``; ``users`` are by name."""

    node: Node
    backing: BackingServices
    environments: Sequence[Environment]
    users: Mapping[str, User]


@contextmanager
def running_local(releases: Sequence[str], *, folder: Path, say: Say) -> Iterator[Local]:
    """Start everything, and stop it in the end.

    ``releases`` has one or two; the first is delivered as ``local``. ``folder`` keeps data; the users' passwords are
    kept beside it.
    """
    settings = load(FILE)
    hosts = [settings.ingress.host, str(SECOND["ingress.host"])]
    keycloak = settings.authentication.keycloak_host
    backing = BackingServices.create(folder / "backing", hosts=hosts, keycloak_host=keycloak, ports=PORTS)
    node = Node(data=folder / "node", names=[keycloak], port=API_PORT, https_port=HTTPS_PORT)
    environments = [_written(number, release, folder, backing) for number, release in enumerate(releases)]
    references = [(one.settings.release, one.settings.image_reference) for one in environments]

    def import_images(node: Node) -> None:
        for release, reference in references:
            take_image(node, release, reference)
            say(f"the node has the image of MLflow {release}")

    with running_site(node, backing, prepare=import_images, say=say):
        flux = Flux(node)
        for environment in environments:
            environment.prepare(node)
        users = _add_users(environments, folder.parent / "users.json")
        say("bootstrap.py has created realm, clients, bucket and secrets")
        for environment in environments:
            environment.deliver(flux)
            say(f"Flux has delivered MLflow {environment.settings.release}")
        yield Local(node=node, backing=backing, environments=environments, users=users)


def _written(number: int, release: str, folder: Path, backing: BackingServices) -> Environment:
    changes: Mapping[str, Any] = SECOND if number else {}
    # As committed, so that what runs is what dist/ says.
    if release == load(FILE).release and not changes:
        return Environment(file=FILE, dist=ROOT / "dist", backing=backing)
    file = folder / "environments" / f"{'second' if number else FILE.stem}.yaml"
    environment = Environment(file=file, dist=file.parent / "dist", backing=backing)
    environment.render(with_changes(read_document(FILE), {"release": release, **changes}))
    return environment


def _add_users(environments: Sequence[Environment], kept: Path) -> Mapping[str, User]:
    first, *others = environments
    wanted = first_users(first.settings)
    # Kept beside the data: Keycloak's database is kept, and has them.
    password = kept_passwords(kept, [user.name for user in wanted])
    users = {u.name: User(name=u.name, group=u.group, password=password[u.name]) for u in wanted}
    Realm(settings=first.settings, server=first.backing.keycloak).welcome(*users.values())
    for other in others:
        for user in first_users(other.settings):
            if user.group:
                other.bootstrap.succeed("add-user-to-group", user.name, user.group)
    return users
