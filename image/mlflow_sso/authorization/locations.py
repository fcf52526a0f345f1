"""Reads a location that a request carries as a request about what lies there."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from mlflow_sso.authorization.errors import RefusedError
from mlflow_sso.authorization.matching import is_canonical
from mlflow_sso.authorization.objects import OWN_ROOT
from mlflow_sso.authorization.rules import Form, Kind, Level

ALLOWED_LOCATIONS = "MLFLOW_SSO_ALLOWED_LOCATIONS"
"""Environment variable with prefixes of locations, separated by spaces."""

DESTINATION = "MLFLOW_ARTIFACTS_DESTINATION"
"""MLflow's own environment variable."""

PROMPT_SOURCES = frozenset({"prompt-template", "dummy-source"})
"""What MLflow's clients and pages give as the source of a prompt's version, which has none
(mlflow/store/model_registry/abstract_store.py, mlflow/tracking/client.py)."""


@dataclass(frozen=True, slots=True)
class Demand:
    """A level that the caller must have of one object."""

    level: Level
    kind: Kind
    name: str
    if_there: bool = False
    """Whether nothing is needed if there is no such object."""
    beside: tuple[Kind, str] | None = None
    """What must belong to the same experiment, if there is such an object."""


class Locations:
    """``allowed`` are prefixes of locations outside this server's own artifacts that every member may name.

    ``destination`` is where the object store keeps what clients know below ``OWN_ROOT``.
    """

    def __init__(self, allowed: Iterable[str] = (), *, destination: str = "") -> None:
        self._allowed = tuple(prefix.rstrip("/") for prefix in allowed)
        self._destination = destination.rstrip("/")

    def demands(self, form: Form, location: str) -> list[Demand]:
        """What the caller needs to name ``location``; raises ``RefusedError`` if no caller may."""
        if self._is_allowed(location):
            return []
        scheme, colon, rest = location.partition(":")
        if scheme == "mlflow-artifacts" and colon:
            level = Level.READ if form is Form.SOURCE else Level.EDIT
            return [Demand(level, Kind.ARTIFACT, _below_root(location))]
        if form is Form.SOURCE:
            if location in PROMPT_SOURCES:
                return []
            if scheme in ("runs", "models") and colon:
                return [_of_uri(scheme, rest, location)]
        raise RefusedError(
            f"the location {location[:80]!r} is not served: name one below {OWN_ROOT}, or have an administrator add "
            "its prefix to artifacts.allowed_locations"
        )

    def stored(self, location: str) -> list[Demand]:
        """What the caller needs to read what lies at ``location``, which a row holds; raises ``RefusedError``."""
        if self._is_allowed(location):
            return []
        if self._destination and location.startswith(f"{self._destination}/"):
            return [Demand(Level.READ, Kind.ARTIFACT, location.removeprefix(f"{self._destination}/"))]
        if location.startswith(OWN_ROOT):
            return [Demand(Level.READ, Kind.ARTIFACT, _below_root(location))]
        raise RefusedError(
            f"the stored location {shown(location)} is not served: it lies neither below {OWN_ROOT} nor below a "
            "prefix of artifacts.allowed_locations"
        )

    def _is_allowed(self, location: str) -> bool:
        # Each of them lets some reader of the location see another path than the prefix that was allowed.
        if any(sign in location for sign in "?#;\\") or "%" in location or not location.isprintable():
            return False
        # A prefix that holds the bucket would open everybody's artifacts.
        if self._destination and f"{location}/".startswith(f"{self._destination}/"):
            return False
        path = location.rstrip("/").partition("://")[2] or location.rstrip("/").partition(":/")[2]
        below = any(location.rstrip("/") == prefix or location.startswith(f"{prefix}/") for prefix in self._allowed)
        return below and is_canonical(f"/{path}")


def shown(location: str) -> str:
    """``location`` for a message: without what stands before a host, which may be a password, and after the path."""
    scheme, slashes, rest = location.partition("://")
    host, slash, path = re.split(r"[?#]", rest, maxsplit=1)[0].partition("/")
    plain = f"{scheme}{slashes}{host.rpartition('@')[2]}{slash}{path}" if slashes else re.split(r"[?#]", location)[0]
    return repr(plain[:80])


def _below_root(location: str) -> str:
    path = location.removeprefix(OWN_ROOT)
    # A second slash begins a host: MLflow's client would ask that server, not this one.
    if path == location or not path or path.startswith("/"):
        raise RefusedError(f"the location {location[:80]!r} is not served: write {OWN_ROOT}<path>, without a host")
    return path


def _of_uri(scheme: str, rest: str, location: str) -> Demand:
    """``runs:/<run>/<path>``, ``models:/<logged model>``, ``models:/<name>/<version>``, ``models:/<name>@<alias>``."""
    path = rest.removeprefix("/")
    if path == rest or not is_canonical(f"/{path.removesuffix('/')}") or any(sign in path for sign in "?#;"):
        raise RefusedError(f"the location {location[:80]!r} is not served: it can be read in two ways")
    first, _, more = path.partition("/")
    if scheme == "runs":
        return Demand(Level.READ, Kind.RUN, first)
    if more or "@" in first:
        return Demand(Level.READ, Kind.REGISTERED_MODEL, first.partition("@")[0])
    return Demand(Level.READ, Kind.LOGGED_MODEL, first)
