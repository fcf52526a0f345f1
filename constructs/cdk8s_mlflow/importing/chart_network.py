"""The chart's Ingress and Service as settings of ours."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from cdk8s_mlflow.importing.outcome import Carried, LeftOut, Outcome, text_of
from cdk8s_mlflow.settings.ingress_controllers import CONTROLLERS, WITHOUT_TLS, ControllerName

Values = Mapping[str, Any]

_CLASS_ANNOTATION = "kubernetes.io/ingress.class"
_ISSUERS = {"cert-manager.io/cluster-issuer": "ClusterIssuer", "cert-manager.io/issuer": "Issuer"}
_NGINX = "nginx.ingress.kubernetes.io/"


def ingress(value: Values, release: str) -> Iterator[Outcome]:
    """Hosts, class, TLS, and the annotations that are settings here."""
    if value.get("enabled") is not True:
        yield Carried("ingress.enabled", False)
        return
    annotations = dict(value.get("annotations") or {})
    # The annotation was the only way before Kubernetes 1.18, and Helm charts kept it.
    class_name = str(value.get("className") or annotations.pop(_CLASS_ANNOTATION, "") or "")
    controller = _controller(class_name)
    if class_name:
        yield Carried("ingress.controller", controller)
        if CONTROLLERS[controller].class_name != class_name:
            yield Carried("ingress.class_name", class_name)
    yield from _hosts(value)
    yield from _tls(value, annotations, controller)
    yield from _annotations(annotations, controller)


def http_route(value: Values, release: str) -> Iterator[Outcome]:
    """Gateways and hosts; the rules lead to the one Service."""
    if value.get("enabled") is not True:
        return
    parents = list(value.get("parentRefs") or [])
    gateways = [item for item in parents if item.get("kind") in (None, "Gateway")]
    hosts = list(value.get("hostnames") or [])
    yield Carried("ingress.enabled", True)
    yield Carried("ingress.gateway.parents", [_gateway(item) for item in gateways])
    # The policies let Traefik's pods in by their labels; where another Gateway is, the user has to say.
    yield Carried("ingress.controller", "traefik" if "traefik" in str(gateways) else "other")
    if hosts:
        yield Carried("ingress.host", hosts[0])
    if hosts[1:]:
        yield Carried("ingress.more_hosts", hosts[1:])
    if len(gateways) < len(parents):
        yield LeftOut("httpRoute.parentRefs", "names others than Gateways; name a Gateway in ingress.gateway")
    for name in ("rules", "labels", "annotations"):
        if value.get(name):
            yield LeftOut(f"httpRoute.{name}", "has no setting: the route is one rule that leads to the Service")


def _gateway(parent: Values) -> dict[str, Any]:
    names = {"name": "name", "namespace": "namespace", "sectionName": "section_name", "port": "port"}
    return {ours: parent[theirs] for theirs, ours in names.items() if parent.get(theirs)}


def _controller(class_name: str) -> ControllerName:
    # Class names mostly hold their controller's, as nginx-internal does.
    alike: list[ControllerName] = [name for name in CONTROLLERS if name in class_name and name != "other"]
    return alike[0] if alike else ("other" if class_name else "traefik")


def _hosts(value: Values) -> Iterator[Outcome]:
    hosts = [item for item in value.get("hosts") or [] if item.get("host")]
    if hosts:
        yield Carried("ingress.host", hosts[0]["host"])
    if hosts[1:]:
        yield Carried("ingress.more_hosts", [item["host"] for item in hosts[1:]])
    paths = {path.get("path") for item in hosts for path in item.get("paths") or []} - {"/", "", None}
    if paths:
        yield LeftOut("ingress.hosts.paths", f"has {', '.join(sorted(map(str, paths)))}; the whole host is served here")


def _tls(value: Values, annotations: dict[str, Any], controller: str) -> Iterator[Outcome]:
    issuers = {kind: annotations.pop(name) for name, kind in _ISSUERS.items() if name in annotations}
    # A load balancer of AWS takes its certificate from ACM, no Secret and no issuer.
    if controller == "alb":
        return
    secrets = [item["secretName"] for item in value.get("tls") or [] if item.get("secretName")]
    yield Carried("ingress.tls_secret", secrets[0] if secrets else None)
    if secrets[1:]:
        yield LeftOut("ingress.tls", f"has {', '.join(secrets[1:])} too; one Secret holds the certificate of all hosts")
    for kind, issuer in issuers.items():
        if secrets:
            yield Carried("ingress.cluster_issuer", issuer)
            yield Carried("ingress.issuer_kind", kind)
    # Our default is an issuer; without one the Secret stays as another tool writes it.
    if secrets and not issuers:
        yield Carried("ingress.cluster_issuer", None)


def _middlewares(value: str) -> Iterator[Outcome]:
    yield Carried("ingress.more_middlewares", [name.strip() for name in value.split(",") if name.strip()])


def _entry_point(value: str) -> Iterator[Outcome]:
    if "," in value:
        yield LeftOut(f"ingress.annotations.{_ROUTER}entrypoints", f"is {value}; name the one for TLS here")
        return
    yield Carried("ingress.entry_point", value)
    # Whoever reached the chart's installation there had TLS that ends in front of Traefik, or none.
    if value in WITHOUT_TLS:
        yield Carried("ingress.entry_point_tls", False)


def _router_tls(value: str) -> Iterator[Outcome]:
    yield LeftOut(f"ingress.annotations.{_ROUTER}tls", f"is {value}; set ingress.entry_point_tls")


_ROUTER = "traefik.ingress.kubernetes.io/router."
_ROUTERS: Mapping[str, Callable[[str], Iterator[Outcome]]] = {
    f"{_ROUTER}middlewares": _middlewares,
    f"{_ROUTER}entrypoints": _entry_point,
    f"{_ROUTER}tls": _router_tls,
}
"""Annotations of Traefik's router that are settings here."""


def _annotations(annotations: Values, controller: str) -> Iterator[Outcome]:
    kept = {}
    for name, value in annotations.items():
        short = name.removeprefix(_NGINX)
        if controller == "traefik" and name in _ROUTERS:
            yield from _ROUTERS[name](text_of(value))
        elif controller != "nginx" or short == name:
            # Annotations are texts in Kubernetes, while YAML reads `true` and 60 as other types.
            kept[name] = text_of(value)
        elif short in ("proxy-read-timeout", "proxy-send-timeout") and text_of(value).isdecimal():
            yield Carried("ingress.timeout_seconds", int(value))
        elif short == "proxy-body-size":
            yield LeftOut(
                f"ingress.annotations.{name}", "is no limit here; ingress.body_mebibytes sets one, artifacts included"
            )
        elif short in ("configuration-snippet", "server-snippet", "rewrite-target", "auth-url", "auth-signin"):
            yield LeftOut(
                f"ingress.annotations.{name}",
                "changes what reaches the server; add it to ingress.annotations if it must be",
            )
        else:
            kept[name] = text_of(value)
    if kept:
        yield Carried("ingress.annotations", kept)


def service(value: Values, release: str) -> Iterator[Outcome]:
    """Type and annotations; names and ports are fixed, since policies, probes and monitors name them."""
    if value.get("type") not in (None, "ClusterIP"):
        yield Carried("server.service.type", value["type"])
    if value.get("port") not in (None, 80):
        yield LeftOut(
            "service.port", f"is {value['port']}; here it is 80: clients in the cluster use http://mlflow.NAMESPACE.svc"
        )
    if value.get("loadBalancerSourceRanges"):
        yield Carried("server.service.source_ranges", list(value["loadBalancerSourceRanges"]))
    if value.get("annotations"):
        yield Carried("server.service.annotations", {k: text_of(v) for k, v in value["annotations"].items()})
