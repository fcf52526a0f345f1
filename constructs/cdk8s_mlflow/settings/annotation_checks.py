"""Annotations with which a controller gets no answer from the server, or takes what we write for it away."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cdk8s_mlflow.settings.section import Conflict

if TYPE_CHECKING:
    from cdk8s_mlflow.settings.environment import EnvironmentSettings
    from cdk8s_mlflow.settings.ingress_controllers import ControllerName

_NGINX, _ALB = "nginx.ingress.kubernetes.io", "alb.ingress.kubernetes.io"
_SPEAKS_TLS = "with which the controller speaks TLS to the server, which speaks http; remove it"
_CHANGES_PATH = "which leads every request to another path than the server knows; remove it"


@dataclass(frozen=True, slots=True)
class _Breaking:
    name: str
    value: str
    """Pattern of values that break it."""
    reason: str
    """After "is VALUE, "."""


_BREAKING = (
    _Breaking(f"{_NGINX}/backend-protocol", r"(?i)(?!http$).*", _SPEAKS_TLS),
    _Breaking(f"{_NGINX}/ssl-passthrough", "true", _SPEAKS_TLS),
    _Breaking(f"{_NGINX}/rewrite-target", ".*", _CHANGES_PATH),
    _Breaking("haproxy.org/server-ssl", "true", _SPEAKS_TLS),
    _Breaking("haproxy.org/ssl-passthrough", "true", _SPEAKS_TLS),
    _Breaking("haproxy.org/path-rewrite", ".*", _CHANGES_PATH),
    _Breaking(f"{_ALB}/backend-protocol", r"(?i)(?!http$).*", _SPEAKS_TLS),
    _Breaking(
        f"{_ALB}/target-type", r"(?!ip$).*", "but targets are pods, as the Service has no port of a node; remove it"
    ),
    _Breaking(
        f"{_ALB}/healthcheck-path",
        r"(?!/health$).*",
        "which does not answer 200 before a login, so that no target would be healthy; remove it",
    ),
    _Breaking(
        f"{_ALB}/load-balancer-attributes",
        r"(?!(?=.*idle_timeout\.timeout_seconds=)(?=.*drop_invalid_header_fields\.enabled=true)).*",
        "which replaces ours; add idle_timeout.timeout_seconds=600 and "
        "routing.http.drop_invalid_header_fields.enabled=true to it",
    ),
    _Breaking("route.openshift.io/termination", r"(?!edge$).*", _SPEAKS_TLS),
    _Breaking("haproxy.router.openshift.io/rewrite-target", ".*", _CHANGES_PATH),
    _Breaking("traefik.ingress.kubernetes.io/service.serversscheme", r"(?!http$).*", _SPEAKS_TLS),
)

_NAMESAKES: Mapping[str, tuple[ControllerName, str]] = {
    "nginx.org/": ("nginx", "F5's NGINX Ingress Controller"),
    "nginx.com/": ("nginx", "F5's NGINX Ingress Controller"),
    "haproxy-ingress.github.io/": ("haproxy", "the controller HAProxy Ingress"),
}
"""Annotations of a controller that has nearly the same name as the one that ``ingress.controller`` means."""


def annotation_conflicts(settings: EnvironmentSettings) -> Iterator[Conflict]:
    """Dotted key and message for each."""
    given = {
        "ingress.annotations": settings.ingress.annotations,
        "server.service.annotations": settings.server.service.annotations,
    }
    for section, values in given.items():
        for breaking in _BREAKING:
            value = values.get(breaking.name)
            if value is not None and re.fullmatch(breaking.value, value):
                yield f"{section}.{breaking.name}", f"is {value}, {breaking.reason}"
    for name in settings.ingress.annotations:
        for prefix, (controller, reader) in _NAMESAKES.items():
            if name.startswith(prefix) and settings.ingress.controller == controller:
                yield (
                    f"ingress.annotations.{name}",
                    f"is read by {reader}, another one than ingress.controller {controller} writes for; remove it, or "
                    "set ingress.controller to other",
                )
