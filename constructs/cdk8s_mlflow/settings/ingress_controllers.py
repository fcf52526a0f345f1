"""What we know of each ingress controller: its class, its pods, and which of our settings it can follow.

Sources: the documentation of Traefik 3, ingress-nginx ("Annotations"), HAProxy Technologies' Kubernetes Ingress
Controller ("Configuration"), AWS Load Balancer Controller ("Ingress annotations") and OpenShift ("Route-specific
annotations", "Configuring network policy").
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

ControllerName = Literal["traefik", "nginx", "haproxy", "alb", "openshift", "other"]

_NAME_LABEL = "kubernetes.io/metadata.name"


@dataclass(frozen=True, slots=True, kw_only=True)
class Controller:
    """An ingress controller, as its own documentation installs it."""

    class_name: str | None
    """Usual name of its IngressClass; None if it has to be given."""
    namespace_labels: Mapping[str, str] | None
    """Labels of the namespace that its pods run in; None if requests do not come from pods, or from unknown ones."""
    pod_labels: Mapping[str, str] = field(default_factory=dict)
    """Labels of its pods; empty for all pods of the namespace."""
    tls_port: int = 443
    """Port of its container for TLS."""
    follows: frozenset[str] = frozenset()
    """Settings of the section ``ingress``, beyond those of every controller, that it follows."""

    @property
    def namespace(self) -> str | None:
        """Name of the namespace that its pods run in, if the labels say it."""
        return (self.namespace_labels or {}).get(_NAME_LABEL)


_LOGIN_RATE = frozenset({"limits.logins_per_second", "limits.login_burst"})
_IN_FLIGHT = frozenset({"limits.requests_in_flight", "limits.logins_in_flight"})

CONTROLLERS: Mapping[ControllerName, Controller] = {
    "traefik": Controller(
        class_name="traefik",
        namespace_labels={_NAME_LABEL: "kube-system"},
        pod_labels={"app.kubernetes.io/name": "traefik"},
        tls_port=8443,
        follows=frozenset({"entry_point", "entry_point_tls", "middleware", "more_middlewares", "traefik_version"})
        | frozenset({"hsts_seconds", "limits.forwarded_depth"})
        | _LOGIN_RATE
        | _IN_FLIGHT,
    ),
    "nginx": Controller(
        class_name="nginx",
        namespace_labels={_NAME_LABEL: "ingress-nginx"},
        pod_labels={"app.kubernetes.io/name": "ingress-nginx", "app.kubernetes.io/component": "controller"},
        follows=frozenset({"timeout_seconds", "body_mebibytes"}) | _LOGIN_RATE | _IN_FLIGHT,
    ),
    "haproxy": Controller(
        class_name="haproxy",
        namespace_labels={_NAME_LABEL: "haproxy-controller"},
        pod_labels={"app.kubernetes.io/name": "kubernetes-ingress"},
        tls_port=8443,
        follows=frozenset({"timeout_seconds", "hsts_seconds"}) | _LOGIN_RATE,
    ),
    "alb": Controller(class_name="alb", namespace_labels=None, follows=frozenset({"timeout_seconds", "alb"})),
    "openshift": Controller(
        class_name="openshift-default",
        # Also the label of the nodes' network, where routers may run.
        namespace_labels={"policy-group.network.openshift.io/ingress": ""},
        follows=frozenset({"timeout_seconds", "hsts_seconds"}),
    ),
    "other": Controller(class_name=None, namespace_labels=None),
}
"""Every controller by the name that ``ingress.controller`` gives it."""

FOLLOWED_BY_SOME = frozenset().union(*(controller.follows for controller in CONTROLLERS.values()))
"""Settings that not every controller follows."""

GATEWAY_FOLLOWS = frozenset({"hsts_seconds"})
"""Settings that every implementation of the Gateway API follows, by filters of an HTTPRoute."""

ANNOTATION_PREFIXES: Mapping[ControllerName, tuple[str, ...]] = {
    "traefik": ("traefik.ingress.kubernetes.io/",),
    "nginx": ("nginx.ingress.kubernetes.io/",),
    "haproxy": ("haproxy.org/",),
    "alb": ("alb.ingress.kubernetes.io/",),
    "openshift": ("haproxy.router.openshift.io/", "route.openshift.io/", "router.openshift.io/"),
}
"""What the annotations begin with that only one controller reads."""

FOLLOWING_ANNOTATIONS: Mapping[str, str] = {
    "kubernetes.io/ingress.class": "ingress.class_name",
    "cert-manager.io/cluster-issuer": "ingress.cluster_issuer",
    "cert-manager.io/issuer": "ingress.cluster_issuer and ingress.issuer_kind",
    "kubernetes.io/tls-acme": "ingress.cluster_issuer",
}
"""Annotations that a setting writes, or that contradict one."""

ALB_SECONDS = 4000
"""Longest idle time of a load balancer of AWS."""

WITHOUT_TLS = ("web", "http", "traefik", "metrics")
"""Entry points without TLS of Traefik's Helm chart, and the name that its documentation had before."""

ROUTER_ANNOTATIONS: Mapping[str, str] = {
    "traefik.ingress.kubernetes.io/router.entrypoints": "ingress.entry_point",
    # Another value would take the limits and the headers away.
    "traefik.ingress.kubernetes.io/router.middlewares": "ingress.more_middlewares and our own",
    "traefik.ingress.kubernetes.io/router.tls": "ingress.entry_point_tls",
}
"""The same, of an Ingress that is written for Traefik."""
