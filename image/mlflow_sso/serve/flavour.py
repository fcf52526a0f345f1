"""How serving differs between the releases: one module for each beside this one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, cast

from mlflow_sso.releases import MODULES, Release

Application = Callable[..., Any]
"""An ASGI application."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flavour:
    """What ``serve`` has to know of a release."""

    applications: tuple[str, ...]
    """What ``mlflow server --app-name`` takes for the one application that uvicorn can run."""

    permissions: tuple[str, ...]
    """Values of DEFAULT_MLFLOW_PERMISSION; the plugin itself finds out at the first request that it needs one."""

    private_variables: Callable[[], Mapping[str, str]]
    """Variables with which ``mlflow server`` marks its workers."""

    open_application: Callable[[], Application]
    """Imports the plugin's application, after its store is open. Takes seconds."""


def flavour_of(release: Release) -> Flavour:
    """The module of ``release``."""
    return cast(Flavour, import_module(f"mlflow_sso.serve.{MODULES[release.mlflow]}").FLAVOUR)


def switched_on(variables: Mapping[str, str], name: str) -> bool:
    """Whether the switch ``name`` is on, as it is by default."""
    return variables.get(name, "true").lower() in ("true", "1", "yes", "on")
