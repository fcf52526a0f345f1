"""What the door reads: its address and certificate once, routes and endpoints whenever the file changes."""

import json
from pathlib import Path
from typing import TypedDict

from live.door.routes import Route


class Configuration(TypedDict):
    """The door's file, JSON."""

    port: int
    certificate: str
    key: str
    routes: list[Route]
    endpoints: dict[str, list[int]]
    """Ports of the ready pods of each ``SERVICE:CONTAINER_PORT``, on this machine."""


def endpoints_key(route: Route) -> str:
    """Where the endpoints of a route stand."""
    return f"{route['service']}:{route['container_port']}"


def write(file: Path, configuration: Configuration) -> None:
    """Replace the file at once, so that the door never reads half of it."""
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps(configuration))
    fresh.replace(file)


def read(file: Path) -> Configuration:
    """The file as it is now."""
    configuration: Configuration = json.loads(file.read_text())
    return configuration
