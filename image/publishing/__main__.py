"""``python -m publishing build|push|build-and-push``: the programs behind the make targets of the image."""

import os
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from publishing.choice import engine
from publishing.engine import Engine
from publishing.errors import PublishingError
from publishing.package_index import with_index
from publishing.steps import say
from publishing.variables import Target, revision, target, variables

CONTEXT = Path(__file__).parents[1]
"""The folder image/, with the Dockerfile."""


def main(argv: Sequence[str] | None = None) -> int:
    """0 done; 1 build or push failed, 2 usage, 3 no engine answers."""
    parser = ArgumentParser(prog="publishing", description="Build the container image, push it, or both.")
    parser.add_argument("step", choices=("build", "push", "build-and-push"))
    step = parser.parse_args(argv).step
    try:
        _run(step)
    except PublishingError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def _run(step: str) -> None:
    values = variables(os.environ, Path(".env.local"))
    image = target(values, revision=revision(CONTEXT))
    chosen = engine(values, os.environ)
    if step != "push":
        _build(chosen, image)
    if step != "build":
        _push(chosen, image)


def _build(chosen: Engine, image: Target) -> None:
    say(f"building {image.reference} on {image.base_image} with {chosen.program}")
    replace(chosen, environment=with_index(chosen.environment)).build(image, CONTEXT)
    say(f"built {image.reference}")


def _push(chosen: Engine, image: Target) -> None:
    say(f"pushing {image.reference} with {chosen.program}")
    digest = chosen.push(image)
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
