"""Where settings come from, in order: the environment file, then .env.local, then environment variables."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from io import StringIO
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from cdk8s_mlflow.settings.error_messages import error_messages
from cdk8s_mlflow.settings.errors import InvalidSettingsError, Problem, UnreadableSettingsError
from cdk8s_mlflow.settings.expansion import size_of
from cdk8s_mlflow.settings.find_secrets import find_secrets, may_be_a_secret
from cdk8s_mlflow.settings.validated import Settings

VARIABLES: Mapping[str, str] = {
    "MLFLOW_NAMESPACE": "namespace",
    "MLFLOW_HOST": "ingress.host",
    "MLFLOW_IMAGE_TAG": "image.tag",
    "MLFLOW_IMAGE_PULL_POLICY": "image.pull_policy",
    "KEYCLOAK_HOST": "authentication.keycloak_host",
    "KEYCLOAK_REALM": "authentication.realm",
    "IMAGE_REGISTRY": "image.registry",
}
"""Environment variables that override a key of the environment file."""

IMAGE_VARIABLES = (
    "BASE_IMAGE",
    "BASE_IMAGE_BY_TAG",
    "CONTAINER_ENGINE",
    "DOCKER_HOST",
    "IMAGE_REGISTRY",
    "IMAGE_REPOSITORY",
    "IMAGE_STORES",
    "MLFLOW_IMAGE_TAG",
    "RELEASE",
)
"""Variables that a build of the image reads."""

CHART_VERSION_NOTE = "MLFLOW_CHART_VERSION has no effect: there is no chart here; set `release` in the environment file"


@dataclass(frozen=True, slots=True)
class Override:
    """A value that replaces one of the file: ``source`` names the variable and where it was found."""

    source: str
    key: str
    value: str

    def __str__(self) -> str:
        shown = "a value that may be a secret" if may_be_a_secret(self.value) else self.value
        return f"{self.source} overrides {self.key}: {shown}"


def overrides(environ: Mapping[str, str], dotenv: Path) -> tuple[Override, ...]:
    """What ``dotenv`` and ``environ`` replace; a variable of ``environ`` wins over the same one in ``dotenv``.

    Raises:
        UnreadableSettingsError: ``dotenv`` exists and has a line that is no assignment, or a variable that is not read.
    """
    local = read_local(dotenv)
    return tuple(
        Override(name if name in environ else f"{name} in {dotenv.name}", key, environ.get(name) or local[name])
        for name, key in VARIABLES.items()
        if environ.get(name) or local.get(name)
    )


def chart_version_asked(environ: Mapping[str, str], dotenv: Path) -> bool:
    """Whether MLFLOW_CHART_VERSION is set, which belongs to Helm and not here."""
    return bool(environ.get("MLFLOW_CHART_VERSION") or read_dotenv(dotenv).get("MLFLOW_CHART_VERSION"))


def read_local(path: Path) -> dict[str, str]:
    """The variables of ``.env.local``, which manifests, bootstrap and the build of the image share.

    Raises:
        UnreadableSettingsError: a line is no assignment, or names a variable that none of them reads.
    """
    found = read_dotenv(path)
    known = sorted({*VARIABLES, *IMAGE_VARIABLES, "MLFLOW_CHART_VERSION"})
    unknown = [Problem(path.name, name, _unread(name, known)) for name in found if name not in known]
    if unknown:
        raise UnreadableSettingsError(unknown)
    return found


def _unread(name: str, known: Sequence[str]) -> str:
    near = get_close_matches(name.upper(), known, n=1, cutoff=0.8)
    hint = f"did you mean {near[0]}?" if near else "remove it, or set it in the environment of its command"
    return f"is not read from this file, which may hold {', '.join(known)}; {hint}"


def read_dotenv(path: Path) -> dict[str, str]:
    """The variables of ``path`` that have a value; none if there is no such file.

    Raises:
        UnreadableSettingsError: a line is no assignment.
    """
    if not path.exists():
        return {}
    # Most environments have no local file.
    from dotenv.parser import parse_stream

    bindings = list(parse_stream(StringIO(_text(path))))
    broken = [binding.original.line for binding in bindings if binding.error]
    if broken:
        raise UnreadableSettingsError(
            [Problem(path.name, f"line {broken[0]}", "is not NAME=value; repair or remove it")]
        )
    return {binding.key: binding.value for binding in bindings if binding.key and binding.value}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableSettingsError([Problem(str(path), "", _unreadable(path, error))]) from error


def _unreadable(path: Path, error: OSError | UnicodeDecodeError) -> str:
    match error:
        case FileNotFoundError() if path.suffix == ".yaml" and path.with_suffix(".yml").exists():
            return f"no such file; rename {path.with_suffix('.yml').name} to {path.name}"
        case FileNotFoundError():
            return "no such file; `main.py init NAME` writes a new environment"
        case IsADirectoryError():
            return "is a directory; name a YAML file"
        case UnicodeDecodeError():
            return "is not UTF-8 text; save it as UTF-8"
        case _:
            return f"cannot be read ({(error.strerror or str(error)).lower()}); check its permissions"


def load(path: Path, *, overrides: Sequence[Override] = ()) -> Settings:
    """The settings of the environment file ``path``, with ``overrides`` on top.

    Raises:
        UnreadableSettingsError: the file is missing, a folder, not UTF-8, not YAML, or has a key twice.
        InvalidSettingsError: a value is of the wrong type, out of bounds, unknown, missing, or contradicts another,
            or a secret stands in the file.
    """
    # A pipe would be waited for, and a device read for ever.
    if path.exists() and not path.is_file() and not path.is_dir():
        raise UnreadableSettingsError([Problem(str(path), "", "is a pipe or a device; name a YAML file")])
    document = read_document(path)
    problems = [Problem(str(path), key, message) for key, message in find_secrets(document)]
    if problems:
        raise InvalidSettingsError(problems)
    for override in overrides:
        document = _with(document, override.key.split("."), override.value)
    try:
        return Settings.model_validate(document)
    except ValidationError as error:
        raise InvalidSettingsError(list(_problems(path, error, overrides))) from error


def _problems(path: Path, error: ValidationError, overrides: Sequence[Override]) -> Iterator[Problem]:
    sources = {override.key: override.source for override in overrides}
    for key, message in error_messages(error):
        yield Problem(sources.get(key, str(path)), key, message)


def read_document(path: Path) -> dict[str, Any]:
    """The YAML mapping in ``path``, YAML 1.2, sequences as tuples.

    Raises:
        UnreadableSettingsError: the file is missing, a folder, not UTF-8, not YAML, or has a key twice.
    """
    text = _text(path)
    try:
        document = YAML(typ="safe", pure=True).load(text)
    except MarkedYAMLError as error:
        raise UnreadableSettingsError([_yaml_problem(path, error)]) from error
    except YAMLError as error:
        raise UnreadableSettingsError([Problem(str(path), "", f"is not YAML: {str(error).splitlines()[0]}")]) from error
    except RecursionError as error:
        raise UnreadableSettingsError([Problem(str(path), "", _ENDLESS)]) from error
    if document is None:
        raise UnreadableSettingsError([Problem(str(path), "", "is empty; it must at least name ingress.host")])
    if not isinstance(document, dict):
        raise UnreadableSettingsError([Problem(str(path), "", "must be a mapping of keys to values")])
    if size_of(document) > _MOST_VALUES:
        raise UnreadableSettingsError([Problem(str(path), "", _ENDLESS)])
    return {str(key): frozen(value) for key, value in document.items()}


_MOST_VALUES = 100_000
_ENDLESS = (
    f"holds itself by an anchor, is nested too deeply, or has more than {_MOST_VALUES} values with its anchors written "
    "out; write it without them"
)


def _yaml_problem(path: Path, error: MarkedYAMLError) -> Problem:
    where = f"line {error.problem_mark.line + 1}" if error.problem_mark else ""
    what = str(error.problem or error.context or "cannot be parsed").split(" with value")[0].split(" (original")[0]
    return Problem(str(path), where, f"is not valid YAML: {what}; repair the line")


def frozen(value: Any) -> Any:
    """The same with tuples in place of lists, as the settings take it."""
    match value:
        case dict():
            return {str(key): frozen(item) for key, item in value.items()}
        case list():
            return tuple(frozen(item) for item in value)
        case _:
            return value


def _with(document: Mapping[str, Any], keys: Sequence[str], value: str) -> dict[str, Any]:
    first, *rest = keys
    if not rest:
        return {**document, first: value}
    inner = document.get(first)
    return {**document, first: _with(inner if isinstance(inner, dict) else {}, rest, value)}
