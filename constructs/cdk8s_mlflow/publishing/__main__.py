"""``cdk8s-mlflow image build|push|build-and-push``, and the make targets of the image."""

import os
import sys
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from cdk8s_mlflow.publishing.base_images import BY_TAG, pin, require_digest
from cdk8s_mlflow.publishing.choice import engine
from cdk8s_mlflow.publishing.context import build_context, revision
from cdk8s_mlflow.publishing.engine import Engine
from cdk8s_mlflow.publishing.errors import PublishingError, UsageError
from cdk8s_mlflow.publishing.package_index import with_index
from cdk8s_mlflow.publishing.steps import say
from cdk8s_mlflow.publishing.variables import Target, target, variables
from cdk8s_mlflow.releases import DEFAULT_RELEASE, RELEASES


def main(argv: Sequence[str] | None = None, *, program: str = "cdk8s-mlflow image") -> int:
    """0 done; 1 build or push failed, 2 usage, 3 no engine answers."""
    parser = ArgumentParser(
        prog=program, description="Build the container image, push it, or both; or pin the images that it is built on."
    )
    parser.add_argument("step", choices=("build", "push", "build-and-push", "pin-base"))
    step = parser.parse_args(argv).step
    try:
        _run(step)
    except PublishingError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def _run(step: str) -> None:
    values = variables(os.environ, Path(".env.local"))
    # Asks registries only; no engine has to answer for it.
    if step == "pin-base":
        _pin_base(values)
        return
    image = target(values, revision=revision(build_context()))
    if step != "push":
        require_digest(image.base_image, by_tag=values.get(BY_TAG, ""))
    chosen = engine(values, os.environ)
    if step != "push":
        _build(chosen, image)
    if step != "build":
        _push(chosen, image)


def _pin_base(values: Mapping[str, str]) -> None:
    images = {name: release.base_image for name, release in RELEASES.items()}
    if "BASE_IMAGE" in values:
        release = values.get("RELEASE", DEFAULT_RELEASE)
        if release not in RELEASES:
            raise UsageError(f"RELEASE is {release!r}; set it to one of {', '.join(RELEASES)}")
        images = {release: values["BASE_IMAGE"]}
    for reference in pin(images):
        print(f"pinned {reference}")


def _build(chosen: Engine, image: Target) -> None:
    say(f"building {image.reference} on {image.base_image} with {chosen.program}")
    # Only for the build: pip's index may hold a login, which a push has no use for.
    replace(chosen, environment=with_index(chosen.environment)).build(image, build_context())
    say(f"built {image.reference}")


def _push(chosen: Engine, image: Target) -> None:
    say(f"pushing {image.reference} with {chosen.program}")
    digest = chosen.push(image)
    # The one line for pipes; all progress is on stderr.
    print(_pushed(image, digest), flush=True)


def _pushed(image: Target, digest: str) -> str:
    return f"""\
pushed {image.reference}
digest {digest}

Roll it out by naming its content in environments/<environment>.yaml, then `make synth`:

image:
  digest: {digest}

The same tag with other content is not rolled out: dist/ does not change, so nodes that have the tag keep what they have
(IfNotPresent) and no migration runs. Pin the digest as above, or give each build a tag of its own:

make build-and-push-image MLFLOW_IMAGE_TAG={image.release}-oidc-{image.revision}"""


if __name__ == "__main__":
    sys.exit(main())
