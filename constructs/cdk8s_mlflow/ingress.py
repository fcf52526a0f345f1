"""The public address: host names, TLS, and the route to the tracking server's http port."""

from collections.abc import Mapping, Sequence

from cdk8s_plus_27 import k8s
from constructs import Construct

from cdk8s_mlflow.ingress_annotations import controller_annotations
from cdk8s_mlflow.metadata import metadata, resource_metadata
from cdk8s_mlflow.rate_limits import LOGIN_PATHS, RateLimits
from cdk8s_mlflow.settings.ingress import IngressSettings


class PublicIngress(Construct):
    """Routes the hosts of ``settings`` to the Service ``name``: an Ingress as its controller needs it, or an HTTPRoute.

    Exposes ``url``, the address that users and the OIDC client see.
    """

    def __init__(self, scope: Construct, id: str, *, settings: IngressSettings, name: str, namespace: str) -> None:
        super().__init__(scope, id)
        # Not derived from the Ingress: a public port or a proxy in front is known only to the settings.
        self.url = settings.public_url
        self._settings, self._name, self._namespace = settings, name, namespace
        everywhere, at_login = self._middlewares()
        # A cluster without the Gateway API does not load its generated classes.
        if settings.gateway:
            from cdk8s_mlflow.http_route import PublicRoute

            PublicRoute(
                self,
                "Route",
                settings=settings,
                name=name,
                namespace=namespace,
                everywhere=everywhere,
                at_login=at_login,
            )
        elif settings.controller == "traefik":
            self._add_traefik(everywhere, at_login)
        else:
            self._add_ingresses()

    def _middlewares(self) -> tuple[list[str], list[str]]:
        """Traefik's Middlewares for every path, and for the paths of the login if those have limits of their own."""
        settings, headers = self._settings, f"{self._name}-headers"
        if not settings.uses_middlewares:
            return [], []
        limits = RateLimits(self, "RateLimits", settings=settings, name=self._name, namespace=self._namespace)
        _headers_middleware(self, settings, name=headers, namespace=self._namespace)
        # The headers go last, so that a request beyond a limit is refused first.
        at_login = [*limits.at_login, headers] if limits.at_login else []
        return [*limits.everywhere, headers], at_login

    def _add_traefik(self, everywhere: Sequence[str], at_login: Sequence[str]) -> None:
        self._add("Resource", ["/"], _traefik_annotations(self._settings, self._namespace, everywhere))
        if at_login:
            # Traefik takes the longest rule first, so this one wins over "/".
            self._add("Login", LOGIN_PATHS, _traefik_annotations(self._settings, self._namespace, at_login))

    def _add_ingresses(self) -> None:
        own = controller_annotations(self._settings)
        self._add("Resource", ["/"], own.everywhere)
        if own.at_login:
            self._add("Login", LOGIN_PATHS, own.at_login)

    def _add(self, id: str, paths: Sequence[str], own: Mapping[str, str]) -> None:
        settings, at_login = self._settings, id == "Login"
        # By name, so that a Service of another port number needs no change here.
        port = k8s.ServiceBackendPort(name="http")
        backend = k8s.IngressBackend(service=k8s.IngressServiceBackend(name=self._name, port=port))
        routes = [k8s.HttpIngressPath(path=path, path_type="Prefix", backend=backend) for path in paths]
        # Only one Ingress asks for the certificate, which both use.
        issuer = {} if at_login else _issuer_annotation(settings)
        k8s.KubeIngress(
            self,
            id,
            metadata=metadata(
                f"{self._name}-login" if at_login else self._name,
                namespace=self._namespace,
                component="tracking-server",
                # These come last, so that an operator can override what is derived.
                more={**own, **issuer, **settings.annotations},
            ),
            spec=_spec(settings, k8s.HttpIngressRuleValue(paths=routes)),
        )


def _spec(settings: IngressSettings, routes: k8s.HttpIngressRuleValue) -> k8s.IngressSpec:
    secret = settings.certificate_secret
    return k8s.IngressSpec(
        ingress_class_name=settings.ingress_class,
        # Without a Secret TLS ends in front of the controller, or with a certificate that is configured there.
        tls=[k8s.IngressTls(hosts=[*settings.hosts], secret_name=secret)] if secret else None,
        rules=[k8s.IngressRule(host=host, http=routes) for host in settings.hosts],
    )


def _issuer_annotation(settings: IngressSettings) -> dict[str, str]:
    kind = "cluster-issuer" if settings.issuer_kind == "ClusterIssuer" else "issuer"
    return {f"cert-manager.io/{kind}": settings.issuer} if settings.issuer else {}


def _traefik_annotations(settings: IngressSettings, namespace: str, middlewares: Sequence[str]) -> dict[str, str]:
    # Traefik finds a Middleware of a CRD as NAMESPACE-NAME@kubernetescrd.
    own = [f"{namespace}-{name}@kubernetescrd" for name in middlewares]
    chain = ",".join([*settings.more_middlewares, *own])
    return {
        "traefik.ingress.kubernetes.io/router.entrypoints": settings.entry_point,
        **({"traefik.ingress.kubernetes.io/router.tls": "true"} if settings.entry_point_tls else {}),
        **({"traefik.ingress.kubernetes.io/router.middlewares": chain} if chain else {}),
    }


def _headers_middleware(scope: Construct, settings: IngressSettings, *, name: str, namespace: str) -> None:
    """HSTS and friends for the browser; https and no path prefix for the server, whatever the client claims."""
    # Generated classes are large, and most environments use only some of them.
    from cdk8s_mlflow_crds.io import traefik

    traefik.Middleware(
        scope,
        "Headers",
        metadata=resource_metadata(name, namespace=namespace, component="tracking-server"),
        spec=traefik.MiddlewareSpec(
            headers=traefik.MiddlewareSpecHeaders(
                sts_seconds=settings.hsts_seconds,
                # Traefik leaves it out of what came without TLS.
                force_sts_header=None if settings.entry_point_tls else True,
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
