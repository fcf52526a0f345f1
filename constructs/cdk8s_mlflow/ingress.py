"""The public door: one host name, TLS, routed to the tracking server's http port."""

from collections.abc import Mapping, Sequence

from cdk8s_plus_27 import k8s
from constructs import Construct

from cdk8s_mlflow.contract import APP
from cdk8s_mlflow.metadata import metadata
from cdk8s_mlflow.rate_limits import LOGIN_PATHS, RateLimits
from cdk8s_mlflow.settings.ingress import IngressSettings

HEADERS_MIDDLEWARE = "mlflow-headers"
LOGIN_INGRESS = f"{APP}-login"


class PublicIngress(Construct):
    """Routes ``settings.host`` to the Service.

    Exposes ``url``, the address that users and the OIDC client see.
    """

    def __init__(self, scope: Construct, id: str, *, settings: IngressSettings, namespace: str) -> None:
        super().__init__(scope, id)
        self.url = settings.public_url
        if settings.middleware:
            self._add_limited_routes(settings, namespace)
            _headers_middleware(self, settings, namespace)
        else:
            _ingress(self, "Resource", settings, name=APP, namespace=namespace, paths=["/"], middlewares=[])

    def _add_limited_routes(self, settings: IngressSettings, namespace: str) -> None:
        limits = RateLimits(self, "RateLimits", settings=settings, namespace=namespace)
        chain = [*limits.everywhere, HEADERS_MIDDLEWARE]
        _ingress(self, "Resource", settings, name=APP, namespace=namespace, paths=["/"], middlewares=chain)
        if limits.at_login:
            # Traefik takes the longest rule first, so this one wins over "/".
            chain = [*limits.at_login, HEADERS_MIDDLEWARE]
            _ingress(
                self, "Login", settings, name=LOGIN_INGRESS, namespace=namespace, paths=LOGIN_PATHS, middlewares=chain
            )


def _ingress(
    scope: Construct,
    id: str,
    settings: IngressSettings,
    *,
    name: str,
    namespace: str,
    paths: Sequence[str],
    middlewares: Sequence[str],
) -> None:
    port = k8s.ServiceBackendPort(name="http")
    backend = k8s.IngressBackend(service=k8s.IngressServiceBackend(name=APP, port=port))
    routes = [k8s.HttpIngressPath(path=path, path_type="Prefix", backend=backend) for path in paths]
    rule = k8s.IngressRule(host=settings.host, http=k8s.HttpIngressRuleValue(paths=routes))
    k8s.KubeIngress(
        scope,
        id,
        metadata=metadata(
            name,
            namespace=namespace,
            component="tracking-server",
            more=_annotations(settings, namespace, middlewares, issuer=name == APP),
        ),
        spec=k8s.IngressSpec(
            ingress_class_name=settings.class_name,
            tls=[k8s.IngressTls(hosts=[settings.host], secret_name=settings.tls_secret)],
            rules=[rule],
        ),
    )


def _annotations(
    settings: IngressSettings, namespace: str, middlewares: Sequence[str], *, issuer: bool
) -> Mapping[str, str]:
    chain = ",".join(f"{namespace}-{name}@kubernetescrd" for name in middlewares)
    certificate = settings.cluster_issuer if issuer else None
    return {
        "traefik.ingress.kubernetes.io/router.entrypoints": settings.entry_point,
        "traefik.ingress.kubernetes.io/router.tls": "true",
        **({"traefik.ingress.kubernetes.io/router.middlewares": chain} if chain else {}),
        **({"cert-manager.io/cluster-issuer": certificate} if certificate else {}),
        **settings.annotations,
    }


def _headers_middleware(scope: Construct, settings: IngressSettings, namespace: str) -> None:
    """HSTS and friends for the browser; https and no path prefix for the server, whatever the client claims."""
    from cdk8s_mlflow.metadata import resource_metadata
    from cdk8s_mlflow_crds.io import traefik

    traefik.Middleware(
        scope,
        "Headers",
        metadata=resource_metadata(HEADERS_MIDDLEWARE, namespace=namespace, component="tracking-server"),
        spec=traefik.MiddlewareSpec(
            headers=traefik.MiddlewareSpecHeaders(
                sts_seconds=settings.hsts_seconds,
                content_type_nosniff=True,
                custom_frame_options_value="SAMEORIGIN",
                referrer_policy="same-origin",
                # An empty value removes the header. X-Forwarded-Host has the port already: mlflow-oidc-auth 11 adds
                # that of X-Forwarded-Port once more, and sends the browser to an address with two.
                custom_request_headers={
                    "X-Forwarded-Proto": "https",
                    "X-Forwarded-Prefix": "",
                    "X-Forwarded-Port": "",
                },
            )
        ),
    )
