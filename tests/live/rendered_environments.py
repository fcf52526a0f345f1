"""Environments of the tests: names of their own in shared backing services, and settings that a test changes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from live.node.backing import BackingServices
from live.node.environment import Environment, with_changes
from testbed.system import System

KEYCLOAK_HOST = "keycloak.localhost"
MOVED_KEYCLOAK = "login.localhost"
"""Where Keycloak is after its host has moved."""
MUTATED = ("mutated1", "mutated2", "mutated3")
LABELS = ("r360", "r3172", "runbooks", *MUTATED, *(f"own{number}" for number in range(1, 5)))
"""Each is an environment, whose name below localhost browsers and curl look for on their own machine."""


def host(label: str) -> str:
    """Public host name of an environment."""
    return f"{label}.localhost"


HOSTS = tuple(map(host, LABELS))


def settings(label: str, *, release: str, https_port: int, changes: Mapping[str, Any]) -> dict[str, Any]:
    """What the environment's file says; ``changes`` are dotted keys and their values."""
    instance = f"mlflow-{label}"
    document = {
        "cluster": "node",
        "instance": instance,
        "release": release,
        # By default eight pods fill a node of two processors; one more would wait for ever, and look like a fault.
        "server": {"ca_bundle": {"name": "local-authority"}, "resources": {"cpu_request": "50m"}},
        "authentication": {
            "keycloak_host": KEYCLOAK_HOST,
            "keycloak_port": https_port,
            "realm": instance,
            "machine_client": f"{instance}-machines",
            # One for each: Redis has 16 by default.
            "redis": {"host": "redis.redis.svc", "database": LABELS.index(label)},
        },
        "ingress": {"host": host(label), "public_port": https_port, "cluster_issuer": None},
        # The tests apply the manifests themselves, without Flux.
        "delivery": {"tools": []},
    }
    return with_changes(document, changes)


def rendered(
    label: str,
    folder: Path,
    *,
    backing: BackingServices,
    release: str,
    https_port: int,
    changes: Mapping[str, Any],
    constructs: Path | None = None,
) -> Environment:
    """The environment, rendered into ``folder``, by other ``constructs`` than the repository's where they are given.

    Raises:
        RenderingError: its manifests cannot be rendered.
    """
    environment = Environment(
        file=folder / f"{label}.yaml", dist=folder / "dist", backing=backing, constructs=constructs
    )
    environment.render(settings(label, release=release, https_port=https_port, changes=changes))
    return environment


def rendered_again(
    system: System,
    folder: Path,
    *,
    release: str | None = None,
    changes: Mapping[str, Any] | None = None,
    constructs: Path | None = None,
) -> Environment:
    """The environment of ``system`` with another release or other settings."""
    return rendered(
        system.environment.name,
        folder,
        backing=system.backing,
        release=release or system.settings.release,
        https_port=system.node.https_port,
        changes=changes or {},
        constructs=constructs,
    )
