"""The public address behind any controller: class, annotations, TLS, hosts, and where requests may come from."""

import re
from pathlib import Path
from typing import Any

import pytest

from cdk8s_mlflow.synth.render import render
from cdk8s_mlflow.validation import validate
from mlflow_bootstrap.keycloak.clients import browser_attributes, browser_fields
from tests.manifests.conftest import ROOT
from tests.manifests.ingresses import GATEWAY, settings
from tests.manifests.objects import Objects, Render

INGRESS = ("Ingress", "mlflow", "mlflow")
LOGIN_INGRESS = ("Ingress", "mlflow", "mlflow-login")
ROUTE = ("HTTPRoute", "mlflow", "mlflow")
SERVER_CONNECTIONS = ROOT / "image/mlflow_sso/serve/connections.py"


def annotations(objects: Objects, key: tuple[str, str, str] = INGRESS) -> dict[str, str]:
    return dict(objects[key]["metadata"].get("annotations", {}))


def sources(objects: Objects) -> list[dict[str, Any]]:
    """Where the server's policy lets requests come from."""
    rules = objects["NetworkPolicy", "mlflow", "mlflow-tracking-server"]["spec"]["ingress"]
    return [peer for rule in rules if rule["ports"][0]["port"] == 5000 for peer in rule["from"]]


def named(namespace: str) -> dict[str, Any]:
    return {"matchLabels": {"kubernetes.io/metadata.name": namespace}}


def test_nginx_streams_bodies_and_limits_logins(rendered: Render) -> None:
    objects = rendered(ingress={"controller": "nginx", "timeout_seconds": 900})

    prefix = "nginx.ingress.kubernetes.io"
    everywhere, login = annotations(objects), annotations(objects, LOGIN_INGRESS)
    assert objects[INGRESS]["spec"]["ingressClassName"] == "nginx"
    # nginx itself refuses bodies above one megabyte.
    assert everywhere[f"{prefix}/proxy-body-size"] == "0"
    # nginx would store each artifact on its own disk before it passes it on.
    assert everywhere[f"{prefix}/proxy-request-buffering"] == "off"
    assert everywhere[f"{prefix}/proxy-read-timeout"] == everywhere[f"{prefix}/proxy-send-timeout"] == "900"
    assert everywhere[f"{prefix}/limit-connections"] == "500"
    assert (login[f"{prefix}/limit-rps"], login[f"{prefix}/limit-burst-multiplier"]) == ("10", "10")
    assert not any(kind == "Middleware" for kind, _, _ in objects)
    assert not any("traefik" in key for key in everywhere)


def test_nginx_takes_size_of_bodies(rendered: Render) -> None:
    objects = rendered(ingress={"controller": "nginx", "body_mebibytes": 2048})

    assert annotations(objects)["nginx.ingress.kubernetes.io/proxy-body-size"] == "2048m"


def test_nginx_without_limits_has_one_ingress(rendered: Render) -> None:
    limits = {"requests_in_flight": 0, "logins_per_second": 0, "logins_in_flight": 0}

    objects = rendered(ingress={"controller": "nginx", "limits": limits})

    assert LOGIN_INGRESS not in objects
    assert not any("limit-" in key for key in annotations(objects))


def test_haproxy_sets_headers_and_limits_logins(rendered: Render) -> None:
    objects = rendered(ingress={"controller": "haproxy"})

    login = annotations(objects, LOGIN_INGRESS)
    assert annotations(objects)["haproxy.org/response-set-header"] == 'Strict-Transport-Security "max-age=31536000"'
    assert annotations(objects)["haproxy.org/timeout-server"] == "600s"
    assert (login["haproxy.org/rate-limit-requests"], login["haproxy.org/rate-limit-period"]) == ("100", "10s")


@pytest.mark.parametrize("seconds", [None, 4000])
def test_alb_ends_idle_connections_before_the_server(rendered: Render, seconds: int | None) -> None:
    alb = {"certificate_arn": "arn:aws:acm:eu-west-1:1:certificate/a"}
    ingress = {"controller": "alb", "alb": alb, "timeout_seconds": seconds}

    objects = rendered(ingress=ingress, network={"ingress_cidrs": ("10.0.0.0/20",)})

    attributes = annotations(objects)["alb.ingress.kubernetes.io/load-balancer-attributes"]
    idle = re.match(r"idle_timeout\.timeout_seconds=(\d+),", attributes)
    # A request that meets the server's end of a connection is lost, and answered with 502.
    server = re.search(r"^KEEP_ALIVE_SECONDS = (\d+)$", SERVER_CONNECTIONS.read_text(), re.MULTILINE)
    assert idle
    assert server
    assert int(idle[1]) < int(server[1])


def test_alb_ends_tls_itself(rendered: Render) -> None:
    arn = "arn:aws:acm:eu-central-1:111122223333:certificate/a"
    alb = {"controller": "alb", "alb": {"scheme": "internet-facing", "certificate_arn": arn}}

    objects = rendered(ingress=alb, network={"ingress_cidrs": ("10.0.0.0/20",)})

    prefix = "alb.ingress.kubernetes.io"
    assert "tls" not in objects[INGRESS]["spec"]
    assert annotations(objects)[f"{prefix}/certificate-arn"] == arn
    # Straight to the pods, so the Service needs no port on the nodes.
    assert annotations(objects)[f"{prefix}/target-type"] == "ip"
    assert annotations(objects)[f"{prefix}/healthcheck-path"] == "/health"
    assert not any("cert-manager" in key for key in annotations(objects))
    assert sources(objects) == [{"ipBlock": {"cidr": "10.0.0.0/20"}}]


def test_openshift_makes_route_of_ingress(rendered: Render) -> None:
    objects = rendered(ingress={"controller": "openshift", "tls_secret": None}, server={"user_id": None})

    assert objects[INGRESS]["spec"]["ingressClassName"] == "openshift-default"
    assert annotations(objects)["route.openshift.io/termination"] == "edge"
    assert annotations(objects)["haproxy.router.openshift.io/timeout"] == "600s"
    assert sources(objects) == [
        # The label by which OpenShift's documentation lets its router in.
        {"namespaceSelector": {"matchLabels": {"policy-group.network.openshift.io/ingress": ""}}}
    ]


@pytest.mark.parametrize(
    ("changes", "namespace"),
    [
        ({"ingress": {}}, "kube-system"),
        ({"ingress": {"controller": "nginx"}}, "ingress-nginx"),
        ({"ingress": {"controller": "haproxy"}}, "haproxy-controller"),
        ({"ingress": {"controller": "nginx"}, "network": {"ingress_namespace": "edge"}}, "edge"),
    ],
)
def test_network_policy_follows_controller(
    rendered: Render, changes: dict[str, dict[str, Any]], namespace: str
) -> None:
    (peer,) = sources(rendered(**changes))

    assert peer["namespaceSelector"] == named(namespace)
    assert peer["podSelector"]["matchLabels"]


def test_network_policy_takes_every_pod_of_namespace(rendered: Render) -> None:
    changes = {"ingress": {"controller": "other", "class_name": "kong"}, "network": {"ingress_namespace": "kong"}}

    assert sources(rendered(**changes)) == [{"namespaceSelector": named("kong")}]


def test_route_attaches_to_its_gateway(rendered: Render) -> None:
    objects = rendered(ingress={"gateway": GATEWAY, "controller": "other"}, network={"ingress_namespace": "gateways"})

    spec = objects[ROUTE]["spec"]
    (rule,) = spec["rules"]
    assert objects[ROUTE]["apiVersion"] == "gateway.networking.k8s.io/v1"
    assert spec["hostnames"] == ["mlflow.example.com"]
    assert spec["parentRefs"] == [
        {
            "group": "gateway.networking.k8s.io",
            "kind": "Gateway",
            "name": "public",
            "namespace": "gateways",
            "sectionName": "https",
        }
    ]
    assert [(b["name"], b["port"]) for b in rule["backendRefs"]] == [("mlflow", 80)]
    # Zero switches it off (Gateway API, HTTPRouteTimeouts).
    assert rule["timeouts"] == {"request": "0s"}
    assert not any(kind in ("Ingress", "Middleware") for kind, _, _ in objects)


def test_route_sets_headers_by_core_filters(rendered: Render) -> None:
    objects = rendered(
        ingress={"gateway": GATEWAY, "controller": "other", "hsts_seconds": 60},
        network={"ingress_namespace": "gateways"},
    )

    filters = objects[ROUTE]["spec"]["rules"][0]["filters"]
    assert [part["type"] for part in filters] == ["RequestHeaderModifier", "ResponseHeaderModifier"]
    assert filters[0]["requestHeaderModifier"]["remove"] == ["X-Forwarded-Prefix", "X-Forwarded-Port"]
    assert {"name": "Strict-Transport-Security", "value": "max-age=60"} in filters[1]["responseHeaderModifier"]["set"]


def test_route_of_traefik_names_middlewares(rendered: Render) -> None:
    objects = rendered(ingress={"gateway": GATEWAY, "controller": "traefik"})

    rules = objects[ROUTE]["spec"]["rules"]
    named_filters = {part["extensionRef"]["name"] for rule in rules for part in rule["filters"]}
    assert named_filters == {name for kind, _, name in objects if kind == "Middleware"}
    assert not any("timeouts" in rule for rule in rules)


@pytest.mark.parametrize("more", [{}, {"controller": "nginx"}, {"gateway": GATEWAY, "controller": "traefik"}])
def test_several_hosts_are_served_and_allowed(rendered: Render, more: dict[str, Any]) -> None:
    objects = rendered(ingress={**more, "more_hosts": ("ml.example.org",)})

    hosts = ["mlflow.example.com", "ml.example.org"]
    (container,) = objects["Deployment", "mlflow", "mlflow"]["spec"]["template"]["spec"]["containers"]
    values = {variable["name"]: variable["value"] for variable in container["env"]}
    spec = objects[ROUTE if "gateway" in more else INGRESS]["spec"]
    assert spec.get("hostnames", [rule["host"] for rule in spec["rules"] if "host" in rule]) == hosts
    assert "gateway" in more or spec["tls"] == [{"hosts": hosts, "secretName": "mlflow-tls"}]
    assert set(hosts) <= set(values["MLFLOW_SERVER_ALLOWED_HOSTS"].split(","))
    assert set(values["MLFLOW_SERVER_CORS_ALLOWED_ORIGINS"].split(",")) == {f"https://{host}" for host in hosts}
    assert values["MLFLOW_SSO_REDIRECT_URIS"].split() == [f"https://{host}/callback" for host in hosts]


def test_several_hosts_have_redirect_uris_in_keycloak() -> None:
    both = settings({"more_hosts": ("ml.example.org",)})

    assert browser_fields(both)["redirectUris"] == [
        "https://ml.example.org/callback",
        "https://mlflow.example.com/callback",
    ]
    assert browser_attributes(both)["post.logout.redirect.uris"] == (
        "https://mlflow.example.com/oidc/ui/auth##https://ml.example.org/oidc/ui/auth"
    )


def test_certificate_comes_from_issuer_of_namespace(rendered: Render) -> None:
    objects = rendered(ingress={"controller": "nginx", "cluster_issuer": "internal", "issuer_kind": "Issuer"})

    assert annotations(objects)["cert-manager.io/issuer"] == "internal"
    assert "cert-manager.io/cluster-issuer" not in annotations(objects)
    assert "cert-manager.io/issuer" not in annotations(objects, LOGIN_INGRESS)


def test_tls_may_belong_to_controller(rendered: Render) -> None:
    objects = rendered(ingress={"tls_secret": None})

    assert "tls" not in objects[INGRESS]["spec"]
    assert annotations(objects)["traefik.ingress.kubernetes.io/router.tls"] == "true"
    assert not any("cert-manager" in key for key in annotations(objects))


def test_tls_may_end_in_front_of_traefik(rendered: Render) -> None:
    plain = {"entry_point": "web", "entry_point_tls": False, "tls_secret": None}

    objects = rendered(ingress={**plain, "cloudflared": {}})

    for name in (INGRESS, LOGIN_INGRESS):
        assert annotations(objects, name)["traefik.ingress.kubernetes.io/router.entrypoints"] == "web"
        assert "traefik.ingress.kubernetes.io/router.tls" not in annotations(objects, name)
        assert "tls" not in objects[name]["spec"]
    # Without it Traefik tells browsers nothing of https.
    headers = objects["Middleware", "mlflow", "mlflow-headers"]["spec"]["headers"]
    assert (headers["stsSeconds"], headers["forceSTSHeader"]) == (31536000, True)
    (policy,) = (one for key, one in objects.items() if key[0] == "NetworkPolicy" and key[2].endswith("tunnel"))
    assert 8000 in {port["port"] for rule in policy["spec"]["egress"] for port in rule.get("ports", ())}


@pytest.mark.parametrize(
    "ingress",
    [
        {"controller": "nginx"},
        {"controller": "haproxy"},
        {"controller": "openshift", "tls_secret": None},
        {"gateway": GATEWAY, "controller": "traefik"},
        {"gateway": GATEWAY, "controller": "traefik", "enabled": True, "hsts_seconds": 60},
    ],
)
def test_every_controller_gives_valid_manifests(ingress: dict[str, Any], tmp_path: Path) -> None:
    given = settings({**ingress, "more_hosts": ("ml.example.org",)}, server={"user_id": 10001})
    render(given, environment="test", folder=tmp_path)

    assert validate(tmp_path) == []


@pytest.mark.parametrize(("rate", "period"), [(5, "20s"), (11, "9091ms"), (1000, "100ms")])
def test_haproxy_limits_to_the_rate_that_is_set(rendered: Render, rate: int, period: str) -> None:
    objects = rendered(ingress={"controller": "haproxy", "limits": {"logins_per_second": rate}})

    assert annotations(objects, LOGIN_INGRESS)["haproxy.org/rate-limit-period"] == period
