"""Which container engine does the work: the one that is asked for, or the first that answers."""

from collections.abc import Mapping

from cdk8s_mlflow.publishing.engine import Buildah, Docker, Engine, Podman
from cdk8s_mlflow.publishing.errors import NoEngineError, UsageError

ENGINES: dict[str, type[Engine]] = {kind.program: kind for kind in (Docker, Podman, Buildah)}


def engine(values: Mapping[str, str], environ: Mapping[str, str]) -> Engine:
    """The engine that ``values`` ask for; unasked, docker, podman and buildah are tried in this order.

    With DOCKER_HOST only docker can be chosen: the others build on this machine.

    Raises:
        UsageError: CONTAINER_ENGINE is none that we know, or contradicts DOCKER_HOST.
        NoEngineError: none answers.
    """
    environment = _environment(values, environ)
    problems = []
    for name in _candidates(values):
        candidate = ENGINES[name](environment=environment)
        problem = candidate.problem()
        if problem is None:
            return candidate
        problems.append(f"{name} {problem}")
    remedy = "start one, or set DOCKER_HOST=ssh://user@host to build on another machine"
    raise NoEngineError(f"no container engine answers ({'; '.join(problems)}); {remedy}")


def _candidates(values: Mapping[str, str]) -> list[str]:
    asked = values.get("CONTAINER_ENGINE")
    if asked and asked not in ENGINES:
        raise UsageError(f"CONTAINER_ENGINE is {asked!r}; set it to one of {', '.join(ENGINES)}")
    # buildah and podman read no DOCKER_HOST, and would build on this machine without a word.
    if "DOCKER_HOST" in values:
        if asked not in {None, "docker"}:
            raise UsageError(f"DOCKER_HOST is for docker, and CONTAINER_ENGINE is {asked!r}; unset one of them")
        return ["docker"]
    return [asked] if asked else list(ENGINES)


def _environment(values: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    return {**environ, **({"DOCKER_HOST": values["DOCKER_HOST"]} if "DOCKER_HOST" in values else {})}
