"""Which image is asked for: environment variables, then .env.local, then the defaults that dist/ has too."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from cdk8s_mlflow.publishing.base_images import pinned
from cdk8s_mlflow.publishing.errors import UsageError
from cdk8s_mlflow.releases import DEFAULT_RELEASE, RELEASES
from cdk8s_mlflow.settings import SettingsError
from cdk8s_mlflow.settings.error_messages import error_messages
from cdk8s_mlflow.settings.image import ImageSettings
from cdk8s_mlflow.settings.sources import IMAGE_VARIABLES, read_local

STORES = ("azure", "gcs")
"""What IMAGE_STORES may name, separated by spaces."""

_KEYS = {"registry": "IMAGE_REGISTRY", "repository": "IMAGE_REPOSITORY", "tag": "MLFLOW_IMAGE_TAG"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The image to build: its name, and what it is built from."""

    release: str
    base_image: str
    registry: str
    repository: str
    tag: str
    revision: str
    """Commit of a checkout, or version of the installed package, for the image's label."""
    stores: str = ""
    """Object stores beside S3 that it has the clients of, separated by spaces."""

    @property
    def name(self) -> str:
        """The image without tag or digest."""
        return f"{self.registry}/{self.repository}"

    @property
    def reference(self) -> str:
        """The image as it is tagged and pushed."""
        return f"{self.name}:{self.tag}"


def variables(environ: Mapping[str, str], dotenv: Path) -> dict[str, str]:
    """The variables of ``IMAGE_VARIABLES`` that have a value; ``environ`` wins over ``dotenv``.

    Raises:
        UsageError: ``dotenv`` cannot be read.
    """
    try:
        local = read_local(dotenv)
    except SettingsError as error:
        raise UsageError(str(error)) from error
    # An empty variable is as good as none, so that CI may leave one blank.
    found = {name: environ.get(name) or local.get(name, "") for name in IMAGE_VARIABLES}
    return {name: value for name, value in found.items() if value}


def target(values: Mapping[str, str], *, revision: str) -> Target:
    """The image that ``values`` ask for.

    Raises:
        UsageError: there is no such release, or a name cannot be one of an image.
    """
    release = RELEASES.get(values.get("RELEASE", DEFAULT_RELEASE))
    if release is None:
        raise UsageError(f"RELEASE is {values['RELEASE']!r}; set it to one of {', '.join(RELEASES)}")
    stores = values.get("IMAGE_STORES", "").split()
    if not set(stores) <= set(STORES):
        raise UsageError(f"IMAGE_STORES is {values['IMAGE_STORES']!r}; set it to azure, gcs or both, or leave it out")
    image = _image({key: values[name] for key, name in _KEYS.items() if name in values})
    return Target(
        release=release.name,
        base_image=values.get("BASE_IMAGE") or pinned(release.name),
        registry=image.registry,
        repository=image.repository,
        tag=image.tag or f"{release.name}-oidc",
        revision=revision,
        stores=" ".join(sorted(set(stores))),
    )


def _image(given: Mapping[str, str]) -> ImageSettings:
    try:
        return ImageSettings.model_validate(given)
    except ValidationError as error:
        problems = [f"{_KEYS[key]} {message}" for key, message in error_messages(error)]
        raise UsageError("; ".join(problems)) from error
