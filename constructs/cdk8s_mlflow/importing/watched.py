"""Values that know which of them a rule has read, so that a key that no rule knows is said and not passed over."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from cdk8s_mlflow.importing.outcome import Carried, LeftOut, Outcome, asked

Rule = Callable[[Any, str], Iterator[Outcome]]
"""What becomes of an area, given its value and the release that is imported to."""


class Watched(Mapping[str, Any]):
    """A mapping, of values that may be such mappings or lists of them, that notes each key that is asked for."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = {key: watched(value) for key, value in values.items()}
        self._read: set[str] = set()

    def __getitem__(self, key: str) -> Any:
        # Before the look, which fails for a switch that is not there.
        self._read.add(key)
        return self._values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return repr(self._values)

    def unread(self, path: str) -> Iterator[str]:
        """Dotted paths below ``path`` of what asks for something and was not read."""
        # A part that is off asks for nothing, nor does a Secret below an area that is left without a name.
        switches = ("enabled", "name") if "." in path else ("enabled",)
        if any(switch in self._read and not self._values.get(switch) for switch in switches):
            return
        for key, value in self._values.items():
            if key in self._read:
                yield from unread(value, f"{path}.{key}")
            elif asked(plain(value)):
                yield f"{path}.{key}"


_SAY_NOTHING = frozenset(
    (
        *("backendStore.databaseMigration", "backendStore.databaseConnectionCheck", "log.enabled"),
        *("backendStore.postgres.driver", "oidcAuth.database.postgres.driver", "service.enabled", "service.name"),
        *("ingress.tls.hosts", "ingress.hosts.paths.pathType", "serviceMonitor.telemetryPath"),
        *("extraVolumes.configMap.defaultMode", "extraVolumes.secret.defaultMode"),
        *("autoscaling.metrics.type", "autoscaling.metrics.resource.target.type"),
    )
)
"""Keys that are always so here, or that other keys of the same area say already."""


def apply_rule(area: str, rule: Rule, value: Any, release: str) -> list[Outcome]:
    """What ``rule`` finds in ``value``, and a line for each key in it that asks for something and was not read.

    A value of a form that the chart does not document is not guessed at.
    """
    given = watched(value)
    try:
        outcomes = [_unwatched(outcome) for outcome in rule(given, release)]
    # A values file has no schema that would have been checked before: any area may have any form.
    except (ValueError, TypeError, AttributeError, KeyError):
        return [LeftOut(area, "has a form that the chart does not document; set it by hand")]
    said = [outcome.source for outcome in outcomes if isinstance(outcome, LeftOut)]
    paths = [path for path in unread(given, area) if not any(f"{path}.".startswith(f"{one}.") for one in said)]
    reason = "is not read; look for its place in docs/settings.md"
    return outcomes + [LeftOut(path, reason) for path in paths if path not in _SAY_NOTHING]


def _unwatched(outcome: Outcome) -> Outcome:
    return outcome if isinstance(outcome, LeftOut) else Carried(outcome.key, plain(outcome.value))


def watched(value: Any) -> Any:
    """The same, where it is a mapping or has mappings in a list, as :class:`Watched`."""
    match value:
        case Mapping():
            return Watched(value)
        case list():
            return [watched(item) for item in value]
        case _:
            return value


def plain(value: Any) -> Any:
    """The same in lists and dictionaries; what of it is watched is read thereby."""
    match value:
        case Mapping():
            return {key: plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case _:
            return value


def unread(value: Any, path: str) -> Iterator[str]:
    """Dotted paths below ``path`` that nothing has read; once each, whatever the number of a list's items."""
    items = value if isinstance(value, list) else [value]
    found = (name for item in items if isinstance(item, Watched) for name in item.unread(path))
    yield from dict.fromkeys(found)
