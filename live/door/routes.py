"""From Ingresses, Middlewares and Services to the door's routes, as Traefik's Kubernetes providers read them."""

from collections.abc import Iterator, Mapping
from typing import Any, TypedDict

from live.cluster.objects import Objects, Unsupported

MIDDLEWARES = "traefik.ingress.kubernetes.io/router.middlewares"
KNOWN_ANNOTATIONS = frozenset(
    {
        MIDDLEWARES,
        "cert-manager.io/cluster-issuer",
        "traefik.ingress.kubernetes.io/router.entrypoints",
        "traefik.ingress.kubernetes.io/router.tls",
    }
)
RESPONSE_HEADERS = {
    "contentTypeNosniff": "X-Content-Type-Options",
    "customFrameOptionsValue": "X-Frame-Options",
    "referrerPolicy": "Referrer-Policy",
    "stsSeconds": "Strict-Transport-Security",
}
"""What a Middleware's ``headers`` become (source: Traefik, "Headers")."""


class Route(TypedDict):
    """Requests of a host below a path, what is done to them, and which Service's port takes them."""

    host: str
    prefix: str
    service: str
    container_port: int
    allowed: list[str] | None
    """Networks that may pass; nothing for all."""
    request_headers: dict[str, str]
    """Headers set on the way in; an empty one is taken away."""
    response_headers: dict[str, str]


def routes(objects: Objects) -> list[Route]:
    """Every route, the most specific path first, as Traefik orders them.

    Raises:
        Unsupported: an annotation or a Middleware that is not known here.
    """
    found = [route for ingress in objects.all("Ingress") for route in _of(ingress, objects)]
    return sorted(found, key=lambda route: -len(route["prefix"]))


def _of(ingress: Mapping[str, Any], objects: Objects) -> Iterator[Route]:
    annotations = ingress["metadata"].get("annotations", {})
    unknown = set(annotations) - KNOWN_ANNOTATIONS
    if unknown:
        raise Unsupported(f"annotations of the Ingress {ingress['metadata']['name']}: {', '.join(sorted(unknown))}")
    middlewares = [_middleware(name, objects) for name in annotations.get(MIDDLEWARES, "").split(",") if name]
    for rule in ingress["spec"]["rules"]:
        for path in rule["http"]["paths"]:
            yield _route(rule["host"], path, middlewares, objects)


def _middleware(reference: str, objects: Objects) -> Mapping[str, Any]:
    """The specification behind ``NAMESPACE-NAME@kubernetescrd``."""
    for body in objects.all("Middleware"):
        metadata = body["metadata"]
        if reference == f"{metadata['namespace']}-{metadata['name']}@kubernetescrd":
            spec: Mapping[str, Any] = body["spec"]
            return spec
    raise LookupError(f"no Middleware is {reference}")


def _route(host: str, path: Mapping[str, Any], middlewares: list[Mapping[str, Any]], objects: Objects) -> Route:
    if path["pathType"] != "Prefix":
        raise Unsupported(f"path type {path['pathType']}")
    backend = path["backend"]["service"]
    route = Route(
        host=host,
        prefix=path["path"],
        service=backend["name"],
        container_port=container_port(objects, backend["name"], backend["port"]["name"]),
        allowed=None,
        request_headers={},
        response_headers={},
    )
    for middleware in middlewares:
        _apply(middleware, route)
    return route


def _apply(middleware: Mapping[str, Any], route: Route) -> None:
    match middleware:
        case {"ipAllowList": {"sourceRange": ranges}}:
            route["allowed"] = [*ranges]
        case {"headers": headers}:
            route["request_headers"] |= headers.get("customRequestHeaders", {})
            route["response_headers"] |= dict(
                _response_header(*item) for item in headers.items() if _is_response(*item)
            )
        case {"inFlightReq": _} | {"rateLimit": _}:
            # Counted by Traefik; all who use this proxy are one source.
            pass
        case _:
            raise Unsupported(f"a Middleware with {', '.join(middleware)}")


def _is_response(name: str, value: Any) -> bool:
    if name not in RESPONSE_HEADERS and name != "customRequestHeaders":
        raise Unsupported(f"headers.{name} of a Middleware")
    return name != "customRequestHeaders" and (name, value) != ("stsSeconds", 0)


def _response_header(name: str, value: Any) -> tuple[str, str]:
    text = {"contentTypeNosniff": "nosniff", "stsSeconds": f"max-age={value}"}.get(name, str(value))
    return RESPONSE_HEADERS[name], text


def container_port(objects: Objects, service: str, port: str) -> int:
    """The container port behind a Service's port, both by name.

    Raises:
        LookupError: Service, port or the pods behind it are not there.
    """
    spec = objects.one("Service", service)["spec"]
    target = next((item["targetPort"] for item in spec["ports"] if item["name"] == port), None)
    deployments = [body["spec"]["template"] for body in objects.all("Deployment")]
    behind = [pod for pod in deployments if spec["selector"].items() <= pod["metadata"]["labels"].items()]
    named = {item["name"]: item["containerPort"] for pod in behind for item in _ports(pod)}
    found = named.get(target) if isinstance(target, str) else target
    if found is None or found not in named.values():
        raise LookupError(f"port {port} of the Service {service} leads to no container's port")
    return int(found)


def _ports(pod: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for container in pod["spec"]["containers"]:
        yield from container.get("ports", [])
