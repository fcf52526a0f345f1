"""A new environment file: each answer is checked at once, so that a person is asked for it again."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError
from ruamel.yaml import YAML

from cdk8s_mlflow.settings import InvalidSettingsError, Problem, Settings, SettingsError, load
from cdk8s_mlflow.settings.addresses import is_placeholder_host
from cdk8s_mlflow.settings.error_messages import error_messages
from cdk8s_mlflow.settings.folder import check_name, environment_files
from cdk8s_mlflow.settings.ownership import refuse_shared
from cdk8s_mlflow.settings.schema import FIRST_LINE

Ask = Callable[[str], str]
Say = Callable[[str], None]

_NO_DELIVERY = """\
delivery:
  # Set delivery.repository to the one that holds dist/, and remove this line, for Flux's and Argo CD's objects.
  tools: []
"""

FLAGS: Mapping[str, str] = {"--mlflow-host": "ingress.host", "--keycloak-host": "authentication.keycloak_host"}
"""What a new environment needs, each with its setting."""


@dataclass(frozen=True, slots=True)
class _Draft:
    """The file to write, its instance, the environments beside it, and the command that an error blames."""

    path: Path
    instance: str
    others: Mapping[Path, Settings]
    command: str

    def problem(self, key: str, message: str) -> Problem:
        return Problem(self.command, key, message)


def write_environment(
    folder: Path,
    name: str,
    *,
    given: Mapping[str, str | None],
    ask: Ask | None,
    say: Say,
    instance: str | None = None,
    command: str = "init",
) -> Path:
    """Write a new environment file and return its path; the ``instance`` is by default called after ``name``.

    ``given`` are values by flag; one that is missing is asked for, until the answer is allowed. ``command`` is what an
    error blames.

    Raises:
        SettingsError: the name or a given host is not allowed or another environment's, the file exists, or a host is
            missing and there is no terminal to ask on.
    """
    check_name(name, f"{command} NAME")
    path = folder / f"{name}.yaml"
    if path.exists():
        raise InvalidSettingsError([Problem(str(path), "", "exists already; edit it, or choose another name")])
    draft = _Draft(path, instance or f"mlflow-{name}", _readable(folder), command)
    hosts: dict[str, str] = {}
    for flag in FLAGS:
        value = given[flag] if given[flag] is not None else _answer(flag, draft, hosts, ask, say)
        hosts[flag] = _checked(flag, value or "", draft, hosts)
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(_text(draft.instance, hosts), encoding="utf-8")
    return path


def _readable(folder: Path) -> dict[Path, Settings]:
    """The environments of the folder that can be read; what is wrong with the rest is for synth to say."""
    found = {}
    try:
        for file in environment_files(folder):
            found[file] = load(file)
    except SettingsError:
        return found
    return found


def _answer(flag: str, draft: _Draft, hosts: Mapping[str, str], ask: Ask | None, say: Say) -> str:
    """What a person answers, asked for again as long as the answer itself is what is wrong."""
    if ask is None:
        raise InvalidSettingsError([draft.problem(flag, "is required; give it, or run on a terminal to be asked")])
    while True:
        answer = ask(flag.removeprefix("--").replace("-", " ")).strip()
        try:
            return _checked(flag, answer, draft, hosts)
        except InvalidSettingsError as error:
            if any(problem.key != FLAGS[flag] for problem in error.problems):
                raise
            say(f"error: {error}")


def _checked(flag: str, host: str, draft: _Draft, hosts: Mapping[str, str]) -> str:
    """``host`` if the file may have it, with an example for what is not known yet."""
    # Settings are checked as a whole, so each answer needs the other host as well.
    known = {**dict.fromkeys(FLAGS, "host.example.com"), **hosts, flag: host}
    document = {
        "instance": draft.instance,
        "ingress": {"host": known["--mlflow-host"]},
        "authentication": {"keycloak_host": known["--keycloak-host"]},
        "delivery": {"tools": ()},
    }
    try:
        settings = Settings.model_validate(document)
    except ValidationError as error:
        raise InvalidSettingsError([draft.problem(key, message) for key, message in error_messages(error)]) from error
    refuse_shared({draft.path: settings, **draft.others}, only=draft.path)
    return host


def _text(instance: str, hosts: Mapping[str, str]) -> str:
    return (
        f"{FIRST_LINE}\ninstance: {instance}\n"
        f"ingress:\n  host: {_scalar(hosts['--mlflow-host'])}\n"
        f"authentication:\n  keycloak_host: {_scalar(hosts['--keycloak-host'])}\n"
        f"{_NO_DELIVERY if not is_placeholder_host(hosts['--mlflow-host']) else ''}"
    )


def _scalar(text: str) -> str:
    """``text`` as YAML, in quotes if it would be read as something else, such as null or 1e3."""
    return text if YAML(typ="safe", pure=True).load(text) == text else json.dumps(text)
