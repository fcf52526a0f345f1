"""A request of the permissions table, and the permission that it takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

MLFLOW = "/api/2.0/mlflow"
PAGES = "/ajax-api/2.0/mlflow"
TRACES = "/api/3.0/mlflow/traces"
PROXY = "/api/2.0/mlflow-artifacts"
PROXY_OF_PAGES = "/ajax-api/2.0/mlflow-artifacts"


class Level(IntEnum):
    """Who may; each may what those before it may."""

    ANYBODY = -1
    MEMBER = 0
    READ = 1
    EDIT = 2
    MANAGE = 3
    ADMIN = 4
    NOBODY = 5


@dataclass(frozen=True, kw_only=True)
class Row:
    """One request; where something is to be shown, an answer counts only if it has that in it."""

    name: str
    needs: Level
    method: str
    path: str
    body: Mapping[str, Any] | None = None
    shows: str = ""


def get(name: str, needs: Level, path: str, *, shows: str = "{secret}") -> Row:
    """A request that shows something."""
    return Row(name=name, needs=needs, method="GET", path=path, shows=shows)


def find(name: str, needs: Level, path: str, /, **body: Any) -> Row:
    """A search by POST."""
    return Row(name=name, needs=needs, method="POST", path=path, body=body, shows="{secret}")


def send(name: str, needs: Level, method: str, path: str, /, **body: Any) -> Row:
    """A request that changes something."""
    return Row(name=name, needs=needs, method=method, path=path, body=body)
