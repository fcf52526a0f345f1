"""Settings of the public address that cannot work are refused by name."""

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import ValidationError

from cdk8s_mlflow.settings.error_messages import error_messages
from tests.manifests.ingresses import GATEWAY, settings


def refused(ingress: Mapping[str, Any], **changes: Any) -> dict[str, str]:
    with pytest.raises(ValidationError) as error:
        settings(ingress, **changes)
    return dict(error_messages(error.value))


REFUSED: Mapping[str, tuple[dict[str, Any], str, str]] = {
    "nginx class, Traefik's annotations": ({"class_name": "nginx-internal"}, "ingress.controller", "set it to nginx"),
    "alb class, Traefik's annotations": ({"class_name": "alb"}, "ingress.controller", "set it to alb"),
    "other without class": (
        {"controller": "other", "_network": {"ingress_namespace": "kong"}},
        "ingress.class_name",
        "name the IngressClass",
    ),
    "other without pods": (
        {"controller": "other", "class_name": "kong"},
        "network.ingress_namespace",
        "lets no request through",
    ),
    "alb without subnets": ({"controller": "alb"}, "network.ingress_cidrs", "the load balancer's subnets"),
    "labels without namespace": (
        {
            "controller": "other",
            "class_name": "kong",
            "_network": {"ingress_pod_labels": {"a": "b"}, "ingress_cidrs": ("10.0.0.0/8",)},
        },
        "network.ingress_pod_labels",
        "needs network.ingress_namespace",
    ),
    "middleware of nginx": ({"controller": "nginx", "middleware": True}, "ingress.middleware", "only with traefik"),
    "hsts of nginx": ({"controller": "nginx", "hsts_seconds": 1}, "ingress.hsts_seconds", "has no effect"),
    "time-out of Traefik": ({"timeout_seconds": 60}, "ingress.timeout_seconds", "only with nginx"),
    "body of HAProxy": ({"controller": "haproxy", "body_mebibytes": 1}, "ingress.body_mebibytes", "only with nginx"),
    "limit of HAProxy": (
        {"controller": "haproxy", "limits": {"requests_in_flight": 5}},
        "ingress.limits.requests_in_flight",
        "has no effect",
    ),
    "balancer of nginx": ({"controller": "nginx", "alb": {"group": "a"}}, "ingress.alb", "only with alb"),
    "certificate beside a gateway": ({"gateway": GATEWAY, "tls_secret": "a"}, "ingress.tls_secret", "listener"),
    "issuer beside a gateway": ({"gateway": GATEWAY, "cluster_issuer": "a"}, "ingress.cluster_issuer", "listener"),
    "class beside a gateway": ({"gateway": GATEWAY, "class_name": "traefik"}, "ingress.class_name", "parents"),
    "entry point beside a gateway": ({"gateway": GATEWAY, "entry_point": "a"}, "ingress.entry_point", "beside"),
    "plain beside a gateway": ({"gateway": GATEWAY, "entry_point_tls": False}, "ingress.entry_point_tls", "beside"),
    "plain entry point of nginx": (
        {"controller": "nginx", "entry_point_tls": False},
        "ingress.entry_point_tls",
        "only with traefik",
    ),
    "plain entry point with TLS": (
        {"entry_point_tls": False, "tls_secret": None},
        "ingress.entry_point",
        "name the one without",
    ),
    "certificate of a plain entry point": (
        {"entry_point_tls": False, "entry_point": "web"},
        "ingress.tls_secret",
        "set it to null",
    ),
    "entry point without TLS": ({"entry_point": "web", "tls_secret": None}, "ingress.entry_point", "entry_point_tls"),
    "tunnel to another namespace": (
        {"cloudflared": {"origin": "traefik.traefik.svc"}},
        "ingress.cloudflared.origin",
        "pods in kube-system",
    ),
    "tunnel past the named namespace": (
        {"cloudflared": {"origin": "traefik.edge.svc.cluster.local"}, "_network": {"ingress_namespace": "traefik"}},
        "ingress.cloudflared.origin",
        "pods in traefik",
    ),
    "gateway of alb": (
        {"gateway": GATEWAY, "controller": "alb", "_network": {"ingress_cidrs": ("10.0.0.0/8",)}},
        "ingress.controller",
        "serves an Ingress",
    ),
    "gateway of nginx": ({"gateway": GATEWAY, "controller": "nginx"}, "ingress.controller", "serves an Ingress"),
    "time-out of a route of Traefik": (
        {"gateway": {**GATEWAY, "request_timeout": "5m"}},
        "ingress.gateway.request_timeout",
        "ignored by Traefik",
    ),
    "gateway without parents": ({"gateway": {"parents": ()}}, "ingress.gateway.parents", "at least 1"),
    "issuer without Secret": (
        {"tls_secret": None, "cluster_issuer": "letsencrypt"},
        "ingress.cluster_issuer",
        "nowhere to put",
    ),
    "certificate of alb": (
        {"controller": "alb", "tls_secret": "a", "_network": {"ingress_cidrs": ("10.0.0.0/8",)}},
        "ingress.tls_secret",
        "the load balancer",
    ),
    "host twice": ({"more_hosts": ("mlflow.example.com",)}, "ingress.more_hosts", "twice"),
    "host of Keycloak": ({"more_hosts": ("auth.example.com",)}, "ingress.more_hosts", "Keycloak's own host"),
    "more hosts with a port": ({"more_hosts": ("a.example.com:8443",)}, "ingress.more_hosts[0]", "bare host name"),
    "limits without middlewares": (
        {"middleware": False, "limits": {"logins_per_second": 1}},
        "ingress.limits",
        "without ingress.middleware",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_ingress_refuses_what_cannot_work(name: str) -> None:
    ingress, key, message = REFUSED[name]
    # Some cases need settings of the network to come as far as their own fault.
    network = ingress.get("_network", {})

    found = refused({k: v for k, v in ingress.items() if k != "_network"}, network=network)

    assert message in found[key]
