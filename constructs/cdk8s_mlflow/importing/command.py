"""What `import-values` does: read the other file, write an environment file, say what was left out."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML

from cdk8s_mlflow.importing.chart import chart_values
from cdk8s_mlflow.importing.outcome import SECRET, Carried, LeftOut, Outcome, document
from cdk8s_mlflow.importing.variables import variables
from cdk8s_mlflow.importing.watched import plain
from cdk8s_mlflow.settings import InvalidSettingsError, Problem, Settings, SettingsError, load
from cdk8s_mlflow.settings.error_messages import error_messages
from cdk8s_mlflow.settings.find_secrets import find_secrets, may_be_a_secret
from cdk8s_mlflow.settings.folder import check_name, environment_files
from cdk8s_mlflow.settings.ownership import refuse_shared
from cdk8s_mlflow.settings.schema import FIRST_LINE
from cdk8s_mlflow.settings.sources import frozen, read_document, read_dotenv

_CHART_AREAS = frozenset({"replicaCount", "backendStore", "artifactRoot", "oidcAuth", "extraEnvVars", "serviceMonitor"})
_BITNAMI_AREAS = frozenset({"tracking", "externalDatabase", "externalS3"})
_RELEASE = "3.17.2"
"""Release of a recipe that names none: the one that takes databases of older versions over."""


@dataclass(frozen=True, slots=True)
class Imported:
    """A written environment file, what has no place in it, and what it still lacks."""

    path: Path
    carried: tuple[str, ...]
    left_out: tuple[LeftOut, ...]
    problems: tuple[Problem, ...]

    def lines(self) -> Iterator[str]:
        """The report: what was carried, what was left out and why, what to do next."""
        yield f"wrote {self.path}: {len(self.carried)} settings carried over, {len(self.left_out)} left out"
        for left in self.left_out:
            yield f"left out: {left}"
        for problem in self.problems:
            yield f"to do: {problem}"
        if not self.problems:
            yield "`make synth` renders it; `bootstrap.py plan` shows what of the old installation is taken over"


def import_file(file: Path, *, environments: Path, name: str, given: Mapping[str, str | None]) -> Imported:
    """Write ``environments``/``name``.yaml from ``file``; ``given`` are settings that it lacks.

    Raises:
        SettingsError: ``file`` cannot be read or is of no known form, or the environment exists already.
    """
    check_name(name, "import-values --name")
    path = environments / f"{name}.yaml"
    if path.exists():
        raise InvalidSettingsError([Problem(str(path), "", "exists already; choose another --name")])
    # First, so that what the caller names wins over what the file says.
    outcomes: list[Outcome] = [Carried(key, value) for key, value in given.items() if value]
    outcomes += _outcomes(file)
    carried, left = _sorted(outcomes, name)
    idle = _without_effect(document(carried))
    carried = _remaining(carried, idle)
    left += [LeftOut(key, message) for key, message in idle.items()]
    environments.mkdir(parents=True, exist_ok=True)
    path.write_text(_text(document(carried), file.name), encoding="utf-8")
    return Imported(path, tuple(carried), tuple(left), tuple(_problems(path, environments)))


def _outcomes(file: Path) -> Iterator[Outcome]:
    if file.suffix in (".yaml", ".yml"):
        values = plain(read_document(file))
        # Any one of these suffices: a values file says only what differs from the chart's defaults.
        if _CHART_AREAS & set(values):
            yield from chart_values(values)
            return
        what = (
            "bitnami/mlflow, which is not read" if _BITNAMI_AREAS & set(values) else "no chart for MLflow that is known"
        )
        message = (
            f"is a values file of {what}; give one of community-charts/mlflow, or write an environment with `init`"
        )
        raise InvalidSettingsError([Problem(str(file), "", message)])
    if not file.exists():
        raise InvalidSettingsError([Problem(str(file), "", "no such file")])
    found = read_dotenv(file)
    if not found:
        raise InvalidSettingsError([Problem(str(file), "", "has no variable with a value (NAME=value)")])
    yield Carried("release", _RELEASE)
    yield from variables(
        {key: value for key, value in found.items() if key != "MLFLOW_CHART_VERSION"}, release=_RELEASE
    )


def _sorted(outcomes: Sequence[Outcome], name: str) -> tuple[dict[str, Any], list[LeftOut]]:
    """Settings by key, and what was left out; two values of one key are not guessed between."""
    carried: dict[str, Any] = {"instance": "mlflow" if name == "production" else f"mlflow-{name}"}
    left: list[LeftOut] = []
    for outcome in outcomes:
        if isinstance(outcome, LeftOut):
            left.append(outcome)
        elif carried.setdefault(outcome.key, outcome.value) != outcome.value:
            left.append(LeftOut(outcome.key, f"has a second value, {_shown(outcome.value)}; the first was taken"))
    # A Deployment with an autoscaler has no replicas, and the settings refuse both.
    if "server.autoscaling.max_replicas" in carried:
        carried.pop("server.replicas", None)
    _complete_bucket(carried, left)
    # Loading a file with a secret fails, and no file may be written that holds one.
    secret = [key for key, _ in find_secrets(document(carried))]
    left += [LeftOut(key, SECRET) for key in secret]
    return {key: value for key, value in carried.items() if not any(_within(key, other) for other in secret)}, left


def _complete_bucket(carried: dict[str, Any], left: Sequence[LeftOut]) -> None:
    """A bucket without an address is one of AWS, and opened by a role if the ServiceAccount names one and no key is."""
    if "artifacts.bucket" not in carried or carried.setdefault("artifacts.kind", "s3") != "s3":
        return
    carried.setdefault("artifacts.endpoint", None)
    role = "eks.amazonaws.com/role-arn" in carried.get("server.service_account_annotations", {})
    has_keys = any(one.source.startswith("artifactRoot.s3.") or "AWS_ACCESS_KEY_ID" in one.source for one in left)
    if carried["artifacts.endpoint"] is None and role and not has_keys:
        carried.setdefault("artifacts.credentials", "service-account")


def _shown(value: Any) -> str:
    return "which looks like a secret" if may_be_a_secret(str(value)) else str(value)


def _within(key: str, other: str) -> bool:
    return other == key or other.startswith(f"{key}.") or key.startswith(f"{other}.")


def _text(settings: Mapping[str, Any], source: str) -> str:
    # The safe writer would sort the keys; a reader wants them as the source has them.
    writer, stream = YAML(), StringIO()
    writer.default_flow_style = False
    writer.dump(dict(settings), stream)
    return f"{FIRST_LINE}\n# Imported from {source}.\n{stream.getvalue()}"


def _without_effect(given: Mapping[str, Any]) -> dict[str, str]:
    """Settings of a new file that would be refused because they change nothing, each with the reason."""
    found = frozen(given)
    # What the file still lacks would hide these.
    for section, name in (("ingress", "host"), ("authentication", "keycloak_host")):
        found[section] = {name: f"{section}.example.com", **found.get(section, {})}
    try:
        Settings.model_validate(found)
    except ValidationError as error:
        return {key: message for key, message in error_messages(error) if message.startswith("has no effect")}
    return {}


def _remaining(carried: Mapping[str, Any], idle: Collection[str]) -> dict[str, Any]:
    """``carried`` without the settings ``idle``, and without the names of mappings that are among them."""
    found: dict[str, Any] = {}
    for key, value in carried.items():
        if any(key == other or key.startswith(f"{other}.") for other in idle):
            continue
        named = isinstance(value, Mapping) and any(other.startswith(f"{key}.") for other in idle)
        found[key] = {name: item for name, item in value.items() if f"{key}.{name}" not in idle} if named else value
    return found


def _problems(path: Path, folder: Path) -> list[Problem]:
    """What the new file lacks, and what it would own together with others of its folder."""
    try:
        refuse_shared({path: load(path), **_readable(folder, besides=path)}, only=path)
    except InvalidSettingsError as error:
        return list(error.problems)
    return []


def _readable(folder: Path, *, besides: Path) -> dict[Path, Settings]:
    """The other environments; one that is incomplete itself is not the new one's problem."""
    found: dict[Path, Settings] = {}
    for file in environment_files(folder):
        # An environment that cannot be loaded is reported by the commands that render it.
        with suppress(SettingsError):
            found |= {file: load(file)} if file != besides else {}
    return found
