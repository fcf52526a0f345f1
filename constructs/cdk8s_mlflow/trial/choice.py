"""Options of `cdk8s-mlflow try` as data."""

import re
from collections.abc import Sequence
from typing import Any

from cdk8s_mlflow.releases import RELEASES
from cdk8s_mlflow.settings import InvalidSettingsError, Problem
from cdk8s_mlflow.trial.settings import IMAGES, Trial

_REFERENCE = re.compile(
    r"(?P<registry>[^/]+)/(?P<repository>[^@:]+)(:(?P<tag>[^@]+))?(@(?P<digest>sha256:[0-9a-f]{64}))?"
)
_DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


def chosen(*, namespace: str, port: int, release: str | None, image: str | None, use: Sequence[str]) -> Trial:
    """What the options say.

    Raises:
        InvalidSettingsError: one of them cannot be understood.
    """
    if not _DNS_LABEL.fullmatch(namespace):
        # Before kubectl is asked: its own refusal would come after the first objects.
        raise _problem("--namespace", f"must look like mlflow-try; got {namespace!r}")
    if release and release not in RELEASES:
        raise _problem("--release", f"must be {' or '.join(RELEASES)}; got {release!r}")
    return Trial(
        namespace=namespace, port=port, release=release, image=_image(image) if image else {}, images=_images(use)
    )


def _image(reference: str) -> dict[str, Any]:
    parts = _REFERENCE.fullmatch(reference)
    if not parts:
        raise _problem("--image", f"must look like registry.example.com/mlflow:3.6.0-oidc; got {reference!r}")
    return {key: value for key, value in parts.groupdict().items() if value}


def _images(use: Sequence[str]) -> dict[str, str]:
    images = dict(IMAGES)
    for choice in use:
        name, _, image = choice.partition("=")
        if name not in images or not image:
            raise _problem("--use", f"must be NAME=IMAGE, with one of {', '.join(images)} as NAME; got {choice!r}")
        images[name] = image
    return images


def _problem(option: str, message: str) -> InvalidSettingsError:
    return InvalidSettingsError([Problem("command line", option, message)])
