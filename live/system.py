"""The whole system of one rendering: provisioned, migrated, served behind its door."""

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Self

from cdk8s_mlflow.settings import Settings
from live.cluster.cluster import Cluster, Endpoints
from live.cluster.image import image_of
from live.door.routes import routes
from live.door.server import Door
from live.neighbours import Neighbours
from live.provisioning import Bootstrap
from live.rendering import Rendering, import_path
from live.users import Realm, User, first_users

Say = Callable[[str], None]


class System:
    """Runs ``rendering`` between ``neighbours``, which are running already and stay when it stops.

    Also a context manager: started on the way in, stopped on the way out. Exposes ``settings``, ``users`` by name,
    ``realm``, ``bootstrap``, ``cluster`` and ``door``.
    """

    def __init__(
        self, rendering: Rendering, neighbours: Neighbours, *, folder: Path, say: Say = lambda _: None
    ) -> None:
        self.rendering, self.neighbours, self.folder = rendering, neighbours, folder
        self.users: dict[str, User] = {}
        self._say = say
        self.cluster = Cluster(
            rendering.objects,
            folder=folder / "pods",
            image=image_of(self.settings.release, reference=self.settings.image_reference),
            fetch=neighbours.secret,
            config_maps=self._config_maps,
            publish=self._publish,
        )
        self.door = Door(
            data=folder / "door",
            port=self.settings.ingress.public_port,
            certificate=neighbours.certificate,
            routes=routes(rendering.objects),
        )

    @property
    def settings(self) -> Settings:
        """Of the environment that runs now."""
        return self.rendering.settings

    @property
    def url(self) -> str:
        """The public address, without a slash at the end."""
        return self.settings.ingress.public_url

    @property
    def ca(self) -> Path:
        """Certificate of the authority behind door and neighbours, PEM."""
        return self.neighbours.certificate.ca

    @property
    def bootstrap(self) -> Bootstrap:
        """``bootstrap.py`` of this environment."""
        return Bootstrap(
            file=self.rendering.file,
            administration=self.neighbours.administration,
            variables=import_path(self.rendering.constructs),
        )

    @cached_property
    def realm(self) -> Realm:
        """Where users are made."""
        return Realm(settings=self.settings, server=self.neighbours.keycloak)

    @property
    def _config_maps(self) -> dict[str, dict[str, str]]:
        """What somebody else puts into the namespace."""
        bundle = self.settings.server.ca_bundle
        return {bundle.name: {bundle.key: self.ca.read_text()}} if bundle else {}

    def _publish(self, endpoints: Endpoints) -> None:
        self.door.lead_to(endpoints)

    def provision(self) -> None:
        """Bring the neighbours to what the environment says, and make the first users.

        Raises:
            ProvisioningError: the bootstrap fails.
        """
        self.bootstrap.succeed("apply", "--create-realm")
        self.add_users(*first_users(self.settings))

    def add_users(self, *users: User) -> None:
        """Make users of the realm; each is in ``users`` by its name then."""
        self.realm.welcome(*users)
        self.users |= {user.name: user for user in users}

    def start(self) -> Self:
        """Provision, migrate, serve; back when the public address answers.

        Raises:
            ProvisioningError: the bootstrap fails.
            JobError: the migration fails.
            PodError: a pod does not become ready.
            ServerError: the door does not open.
        """
        self.provision()
        self._say("the bootstrap has made realm, databases, bucket and secrets")
        self.cluster.sync_secrets()
        self.cluster.migrate()
        self._say("the migration Job has run")
        self.door.start()
        self.cluster.deployment.start()
        self.cluster.deployment.wait_ready()
        return self

    def become(self, rendering: Rendering) -> None:
        """Apply another rendering of the same environment, as GitOps would: bootstrap, Secrets, Job, rolling update.

        Raises:
            ProvisioningError: the bootstrap fails.
            JobError: the migration fails; what ran before still runs.
            PodError: a new pod does not become ready; the old ones stay.
        """
        before, self.rendering = self.rendering, rendering
        image = image_of(rendering.settings.release, reference=rendering.settings.image_reference)
        try:
            self.bootstrap.succeed("apply")
            self.cluster.apply(rendering.objects, image=image)
        except BaseException:
            self.rendering = before
            raise
        self.door.routes = routes(rendering.objects)
        self.cluster.publish()

    def stop(self) -> None:
        """Stop pods and door; the neighbours stay."""
        self.cluster.stop()
        self.door.stop()

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *_: object) -> None:
        self.stop()
