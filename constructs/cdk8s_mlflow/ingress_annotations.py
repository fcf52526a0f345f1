"""What each ingress controller is told by annotations: TLS, time-outs, body size, headers and limits by source.

Sources: the controllers' own lists of annotations; see ``settings.ingress_controllers``. A limit that a controller has
no annotation for is refused there.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import ceil

from cdk8s_mlflow.settings.ingress import IngressSettings
from cdk8s_mlflow.settings.ingress_controllers import ControllerName

DEFAULT_TIMEOUT_SECONDS = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class ControllerAnnotations:
    """Annotations of the Ingress for every path, and what the one for the paths of the login has more, if anything."""

    everywhere: Mapping[str, str]
    at_login: Mapping[str, str] = field(default_factory=dict)


def controller_annotations(settings: IngressSettings) -> ControllerAnnotations:
    """Annotations for ``settings.controller``; those of Traefik are the Middlewares' construct's."""
    make = _CONTROLLERS.get(settings.controller)
    return make(settings) if make else ControllerAnnotations(everywhere={})


def _timeout(settings: IngressSettings) -> int:
    return settings.timeout_seconds or DEFAULT_TIMEOUT_SECONDS


def _nginx(settings: IngressSettings) -> ControllerAnnotations:
    """Bodies are streamed: nginx would store each upload whole before it passes it on."""
    limits, timeout = settings.limits, str(_timeout(settings))
    body = settings.body_mebibytes or 0
    common = {
        # 0 turns nginx's limit of 1 MB off.
        "proxy-body-size": f"{body}m" if body else "0",
        "proxy-read-timeout": timeout,
        "proxy-send-timeout": timeout,
        "proxy-request-buffering": "off",
        # Without a certificate TLS ends in front of nginx, and a redirect to https would lead to itself.
        "ssl-redirect": str(settings.certificate_secret is not None).lower(),
    }
    busy = {"limit-connections": str(limits.requests_in_flight)} if limits.requests_in_flight else {}
    login = {"limit-connections": str(limits.logins_in_flight)} if limits.logins_in_flight else {}
    if limits.logins_per_second:
        login["limit-rps"] = str(limits.logins_per_second)
        # nginx knows the burst only as a multiple of the rate.
        login["limit-burst-multiplier"] = str(max(1, ceil(limits.login_burst / limits.logins_per_second)))
    return ControllerAnnotations(
        everywhere=_prefixed("nginx.ingress.kubernetes.io", {**common, **busy}),
        at_login=_prefixed("nginx.ingress.kubernetes.io", {**common, **login}) if login else {},
    )


def _haproxy(settings: IngressSettings) -> ControllerAnnotations:
    limits = settings.limits
    common = {
        "timeout-server": f"{_timeout(settings)}s",
        "ssl-redirect": str(settings.certificate_secret is not None).lower(),
        "request-set-header": 'X-Forwarded-Proto "https"',
        "response-set-header": f'Strict-Transport-Security "max-age={settings.hsts_seconds}"',
    }
    rate = {
        # HAProxy counts requests in a window, so the burst is the count, and the window as long as its refill takes.
        "rate-limit-requests": str(limits.login_burst),
        "rate-limit-period": _period(limits.login_burst, limits.logins_per_second or 1),
        "rate-limit-status-code": "429",
    }
    return ControllerAnnotations(
        everywhere=_prefixed("haproxy.org", common),
        at_login=_prefixed("haproxy.org", {**common, **rate}) if limits.logins_per_second else {},
    )


def _period(count: int, rate: int) -> str:
    """How long ``count`` take at ``rate`` a second, in milliseconds unless seconds say it exactly."""
    milliseconds = ceil(1000 * count / rate)
    return f"{milliseconds}ms" if milliseconds % 1000 else f"{milliseconds // 1000}s"


def _alb(settings: IngressSettings) -> ControllerAnnotations:
    """Targets are pods, so that stopping ones are drained; the listener speaks TLS only."""
    alb = settings.alb
    attributes = f"idle_timeout.timeout_seconds={_timeout(settings)}"
    annotations = {
        "scheme": alb.scheme,
        "target-type": "ip",
        "listen-ports": json.dumps([{"HTTPS": 443}], separators=(",", ":")),
        # The default is /, which does not answer 200 before a login, so that every target would count as unhealthy.
        "healthcheck-path": "/health",
        # Off by default: X_Forwarded_Proto and the like would be
        # passed on, which some servers read as X-Forwarded-Proto.
        "load-balancer-attributes": f"{attributes},routing.http.drop_invalid_header_fields.enabled=true",
        **({"certificate-arn": alb.certificate_arn} if alb.certificate_arn else {}),
        **({"group.name": alb.group} if alb.group else {}),
    }
    return ControllerAnnotations(everywhere=_prefixed("alb.ingress.kubernetes.io", annotations))


def _openshift(settings: IngressSettings) -> ControllerAnnotations:
    """OpenShift makes a Route of the Ingress and copies these to it; without a Secret it serves its own certificate."""
    router = {
        "timeout": f"{_timeout(settings)}s",
        "hsts_header": f"max-age={settings.hsts_seconds}",
    }
    annotations = _prefixed("haproxy.router.openshift.io", router)
    return ControllerAnnotations(everywhere={"route.openshift.io/termination": "edge", **annotations})


def _prefixed(prefix: str, annotations: Mapping[str, str]) -> dict[str, str]:
    return {f"{prefix}/{name}": value for name, value in annotations.items()}


_CONTROLLERS: Mapping[ControllerName, Callable[[IngressSettings], ControllerAnnotations]] = {
    "nginx": _nginx,
    "haproxy": _haproxy,
    "alb": _alb,
    "openshift": _openshift,
}
