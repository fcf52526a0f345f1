"""Manifests as tests read them: every object by kind, namespace and name, and what is in a server's pod."""

from collections.abc import Callable, Mapping
from typing import Any

Objects = dict[tuple[str, str, str], dict[str, Any]]
"""Objects by (kind, namespace, name)."""

Render = Callable[..., Objects]
"""Renders ``MINIMAL`` with changes of its settings."""

MINIMAL: Mapping[str, Any] = {
    "ingress": {"host": "mlflow.example.com"},
    "authentication": {"keycloak_host": "auth.example.com"},
}
"""The smallest environment."""


def only(objects: Objects, kind: str, name: str = "mlflow") -> dict[str, Any]:
    """The one object of ``kind`` whose name starts with ``name``."""
    (found,) = [o for (k, _, n), o in objects.items() if k == kind and n.startswith(name)]
    return found


def server(objects: Objects) -> dict[str, Any]:
    """The container of the tracking server."""
    (container,) = only(objects, "Deployment")["spec"]["template"]["spec"]["containers"]
    return dict(container)


def environment(objects: Objects) -> dict[str, str]:
    """Variables of the tracking server."""
    return {variable["name"]: variable["value"] for variable in server(objects)["env"]}


def pod_templates(objects: Objects) -> list[dict[str, Any]]:
    """Of every Deployment, Job and CronJob."""
    templates = [o["spec"]["template"] for (kind, _, _), o in objects.items() if kind in ("Deployment", "Job")]
    crons = [o["spec"]["jobTemplate"]["spec"]["template"] for (kind, _, _), o in objects.items() if kind == "CronJob"]
    return templates + crons


def pod_specs(objects: Objects) -> list[dict[str, Any]]:
    """Of every Deployment, Job and CronJob."""
    return [template["spec"] for template in pod_templates(objects)]
