"""The public address as an HTTPRoute of the Gateway API."""

from collections.abc import Sequence

from constructs import Construct

from cdk8s_mlflow.metadata import resource_metadata
from cdk8s_mlflow.rate_limits import LOGIN_PATHS
from cdk8s_mlflow.settings.ingress import GatewayParentSettings, IngressSettings
from cdk8s_mlflow_crds.io.k8s.networking import gateway

_SERVICE_PORT = 80


class PublicRoute(Construct):
    """Routes the hosts to the Service. TLS and its certificate belong to the Gateway's listener.

    Traefik takes our Middlewares as extension filters; any other implementation gets the headers by filters that every
    one must support. Source: Gateway API reference, HTTPRouteFilter and HTTPRouteTimeouts.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        settings: IngressSettings,
        name: str,
        namespace: str,
        everywhere: Sequence[str],
        at_login: Sequence[str],
    ) -> None:
        super().__init__(scope, id)
        assert settings.gateway is not None  # noqa: S101  (narrows the type)
        rules = [_rule(settings, name, ["/"], everywhere)]
        # The longest matching prefix wins (Gateway API, HTTPRouteMatch), so the order of the rules says nothing.
        if at_login:
            rules.append(_rule(settings, name, LOGIN_PATHS, at_login))
        gateway.HttpRoute(
            self,
            "Resource",
            metadata=resource_metadata(
                name, namespace=namespace, component="tracking-server", more=settings.annotations
            ),
            spec=gateway.HttpRouteSpec(
                parent_refs=[_parent(parent) for parent in settings.gateway.parents],
                hostnames=[*settings.hosts],
                rules=rules,
            ),
        )


def _parent(parent: GatewayParentSettings) -> gateway.HttpRouteSpecParentRefs:
    """Group and kind are written out: the API server sets them, and Argo CD would show a difference for ever."""
    return gateway.HttpRouteSpecParentRefs(
        group="gateway.networking.k8s.io",
        kind="Gateway",
        name=parent.name,
        namespace=parent.namespace,
        section_name=parent.section_name,
        port=parent.port,
    )


def _rule(
    settings: IngressSettings, service: str, paths: Sequence[str], middlewares: Sequence[str]
) -> gateway.HttpRouteSpecRules:
    prefix = gateway.HttpRouteSpecRulesMatchesPathType.PATH_PREFIX
    return gateway.HttpRouteSpecRules(
        matches=[
            gateway.HttpRouteSpecRulesMatches(path=gateway.HttpRouteSpecRulesMatchesPath(type=prefix, value=path))
            for path in paths
        ],
        # An empty list is kept as absent by the API server, and would be a difference for ever.
        filters=[_extension(name) for name in middlewares] or _headers(settings) or None,
        backend_refs=[
            # Group, kind and weight are defaults that the API server sets, written out for Argo CD.
            gateway.HttpRouteSpecRulesBackendRefs(group="", kind="Service", name=service, port=_SERVICE_PORT, weight=1)
        ],
        timeouts=_timeouts(settings),
    )


def _extension(middleware: str) -> gateway.HttpRouteSpecRulesFilters:
    reference = gateway.HttpRouteSpecRulesFiltersExtensionRef(group="traefik.io", kind="Middleware", name=middleware)
    return gateway.HttpRouteSpecRulesFilters(
        type=gateway.HttpRouteSpecRulesFiltersType.EXTENSION_REF, extension_ref=reference
    )


def _headers(settings: IngressSettings) -> list[gateway.HttpRouteSpecRulesFilters]:
    """HSTS and friends for the browser; https and no path prefix for the server, whatever the client claims."""
    if settings.controller == "traefik":
        return []
    kind = gateway.HttpRouteSpecRulesFiltersType
    for_server = gateway.HttpRouteSpecRulesFiltersRequestHeaderModifierSet(name="X-Forwarded-Proto", value="https")
    for_browser = {
        "Strict-Transport-Security": f"max-age={settings.hsts_seconds}",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "SAMEORIGIN",
        "Referrer-Policy": "same-origin",
    }
    return [
        gateway.HttpRouteSpecRulesFilters(
            type=kind.REQUEST_HEADER_MODIFIER,
            request_header_modifier=gateway.HttpRouteSpecRulesFiltersRequestHeaderModifier(
                set=[for_server], remove=["X-Forwarded-Prefix", "X-Forwarded-Port"]
            ),
        ),
        gateway.HttpRouteSpecRulesFilters(
            type=kind.RESPONSE_HEADER_MODIFIER,
            response_header_modifier=gateway.HttpRouteSpecRulesFiltersResponseHeaderModifier(
                set=[
                    gateway.HttpRouteSpecRulesFiltersResponseHeaderModifierSet(name=name, value=value)
                    for name, value in for_browser.items()
                ]
            ),
        ),
    ]


def _timeouts(settings: IngressSettings) -> gateway.HttpRouteSpecRulesTimeouts | None:
    """Some implementations end a request after 15 s unless they are told otherwise, in the middle of an upload."""
    # Traefik ignores the field; its timeouts are those of its entry point.
    if settings.controller == "traefik" or settings.gateway is None:
        return None
    # "0s" means no timeout at all (Gateway API, HTTPRouteTimeouts).
    return gateway.HttpRouteSpecRulesTimeouts(request=settings.gateway.request_timeout or "0s")
