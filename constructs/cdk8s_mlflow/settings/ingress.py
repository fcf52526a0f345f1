"""The public address: host, TLS and the proxy in front."""

from typing import Annotated, Literal

from pydantic import Field

from cdk8s_mlflow.settings.addresses import Hostname
from cdk8s_mlflow.settings.ingress_controllers import CONTROLLERS, Controller, ControllerName
from cdk8s_mlflow.settings.pods import Annotations
from cdk8s_mlflow.settings.section import DnsLabel, DnsName, Port, ProductVersion, Section, Text, matching

Middleware = Annotated[str, matching(r"[A-Za-z0-9._-]{1,253}@[a-z0-9-]{1,63}", "traefik-office@kubernetescrd")]
"""A Middleware as Traefik's routers name it: one of a CRD is NAMESPACE-NAME@kubernetescrd."""

LOGIN_RETURN = "/callback"
"""Path to which Keycloak sends the browser after a login."""

LOGOUT_RETURN = "/oidc/ui/auth"
"""Path of the login page, to which Keycloak sends the browser after a logout."""


class CloudflaredSettings(Section):
    """A Cloudflare Tunnel that brings requests to Traefik."""

    image: Annotated[str, matching(r"[a-z0-9][a-z0-9./:_-]*[:@][A-Za-z0-9._:-]+", "registry/name:tag")] = (
        "docker.io/cloudflare/cloudflared:2025.8.1"
    )
    """Image with a tag or a digest."""

    replicas: Annotated[int, Field(ge=1, le=25)] = 2
    """Connectors of the tunnel."""

    origin: Hostname = "traefik.kube-system.svc"
    """Service of Traefik, which the tunnel's configuration at Cloudflare names as its origin; for NetworkPolicies."""

    edge_ip_version: Literal["4", "6", "auto"] = "4"
    """Family of Cloudflare's addresses: 6 or auto where pods have no IPv4 to the outside (--edge-ip-version)."""


class IngressLimitSettings(Section):
    """What Traefik lets one source do: an address, however many users and jobs share it."""

    requests_in_flight: Annotated[int, Field(ge=0, le=100_000)] = 500
    """Requests of a source at once, on every path; a pod works on 40 and holds 1000 connections. 0 for no limit."""

    logins_per_second: Annotated[int, Field(ge=0, le=10_000)] = 10
    """Requests of a source a second at /login and at /callback, on average; a login takes one each. 0 for no limit."""

    login_burst: Annotated[int, Field(ge=1, le=100_000)] = 100
    """Requests of a source at /login and at /callback that may come at once: 100 people behind one address.

    nginx knows only multiples of ``logins_per_second``, to the next of which it is raised.
    """

    logins_in_flight: Annotated[int, Field(ge=0, le=10_000)] = 50
    """Requests of a source at once at /login and at /callback; each waits for Keycloak. 0 for no limit."""

    forwarded_depth: Annotated[int, Field(ge=0, le=10)] | None = None
    """Which address of X-Forwarded-For is the source, counted from the right; 0 is the connection's own.

    Each proxy in front of Traefik makes all clients one source unless this counts past it, and Traefik must trust its
    header (``forwardedHeaders.trustedIPs``). Unset: 1 with ``cloudflared``, else 0.
    """


class GatewayParentSettings(Section):
    """A Gateway that the route attaches to."""

    name: DnsName
    """Name of the Gateway."""

    namespace: DnsLabel | None = None
    """Namespace of the Gateway, which must allow routes of ours; unset for our own."""

    section_name: DnsName | None = None
    """Name of its https listener; unset for every listener that allows the host."""

    port: Port | None = None
    """Port of its https listener; unset for any."""


class GatewaySettings(Section):
    """An HTTPRoute of the Gateway API (gateway.networking.k8s.io/v1) in place of an Ingress."""

    parents: Annotated[tuple[GatewayParentSettings, ...], Field(min_length=1, max_length=32)]
    """Gateways that serve the host; TLS and its certificate are those of their listeners."""

    request_timeout: Annotated[str, matching(r"[0-9]{1,5}(h|m|s)", "0s or 30m")] | None = None
    """How long a whole request may take; by default 0s, no limit, since uploads may take long. Traefik ignores it."""


class LoadBalancerSettings(Section):
    """What the AWS Load Balancer Controller makes of the Ingress."""

    scheme: Literal["internal", "internet-facing"] = "internal"
    """Whether the load balancer has public addresses."""

    certificate_arn: Annotated[str, matching(r"arn:aws[a-z-]*:acm:\S+", "arn:aws:acm:REGION:ACCOUNT:…")] | None = None
    """Certificate in AWS Certificate Manager; unset, the controller looks for one of the host."""

    group: DnsLabel | None = None
    """Ingress group that shares one load balancer; unset for one of our own."""


class IngressSettings(Section):
    """How a browser reaches the tracking server."""

    host: Hostname
    """Public host name; the redirect URI, the allowed hosts and the CORS origins are derived from it."""

    more_hosts: tuple[Hostname, ...] = ()
    """Further public host names: each is served, allowed, and has a redirect URI of its own."""

    public_port: Port = 443
    """Port of the public address, if it is not 443."""

    enabled: bool = True
    """Write the Ingress; false where another team routes to the Service, and nothing of ours configures it then."""

    controller: ControllerName = "traefik"
    """What serves the IngressClass or the Gateway; annotations and the NetworkPolicy follow it."""

    class_name: DnsName | None = None
    """IngressClass that serves the host; by default the controller's usual one, such as traefik, nginx or alb."""

    gateway: GatewaySettings | None = None
    """Write an HTTPRoute of the Gateway API instead of an Ingress."""

    entry_point: Text = "websecure"
    """Traefik's entry point that the hosts' requests come to."""

    entry_point_tls: bool = True
    """Whether ``entry_point`` has TLS; false where TLS ends in front of Traefik, which then gets plain HTTP."""

    tls_secret: DnsName | None = "mlflow-tls"  # noqa: S105  (the name of a Secret)
    """Secret with the certificate of the hosts; null if TLS is the controller's default or ends before it."""

    cluster_issuer: DnsName | None = "letsencrypt"
    """cert-manager issuer that creates the certificate; null if ``tls_secret`` has another source."""

    issuer_kind: Literal["ClusterIssuer", "Issuer"] = "ClusterIssuer"
    """Kind of ``cluster_issuer``: of the cluster, or of our namespace."""

    middleware: bool = True
    """Write Traefik's Middlewares: HSTS, other security headers, the forwarded protocol, and ``limits``."""

    more_middlewares: tuple[Middleware, ...] = ()
    """Traefik's Middlewares of yours that every request goes through before ours, as Traefik names them."""

    traefik_version: ProductVersion = "3.0"
    """Version of Traefik at least, with ``middleware``, which needs 2.11."""

    hsts_seconds: Annotated[int, Field(ge=0, le=63072000)] = 31536000
    """Seconds that browsers remember to use only https; on Traefik with ``middleware``."""

    limits: IngressLimitSettings = IngressLimitSettings()
    """Limits by source, as Traefik Middlewares; written with ``middleware``."""

    timeout_seconds: Annotated[int, Field(ge=10, le=86400)] | None = None
    """Seconds that a connection to the server may be silent; by default 600. Traefik has it at its entry point."""

    body_mebibytes: Annotated[int, Field(ge=0, le=1_048_576)] | None = None
    """Size of a request at most, artifacts included, on nginx; by default 0, no limit: the server has its own."""

    alb: LoadBalancerSettings = LoadBalancerSettings()
    """Load balancer of controller alb."""

    annotations: Annotations = {}
    """More annotations of the Ingress or the HTTPRoute; they win over the controller's, unless a setting has them."""

    cloudflared: CloudflaredSettings | None = None
    """A Cloudflare Tunnel in front of Traefik; unset for none."""

    @property
    def forwarded_depth(self) -> int:
        """Which address of X-Forwarded-For is a client's own; 0 is that of the connection."""
        given = self.limits.forwarded_depth
        return given if given is not None else int(self.cloudflared is not None)

    @property
    def served_by(self) -> Controller:
        """What is known of the controller."""
        return CONTROLLERS[self.controller]

    @property
    def ingress_class(self) -> str:
        """IngressClass of the Ingress."""
        return self.class_name or self.served_by.class_name or ""

    @property
    def uses_middlewares(self) -> bool:
        """Whether Traefik's Middlewares are written."""
        return self.enabled and self.middleware and self.controller == "traefik"

    @property
    def custom_middlewares(self) -> tuple[str, ...]:
        """NAMESPACE-NAME of each of ``more_middlewares`` that is a custom resource."""
        named = [name.partition("@") for name in self.more_middlewares] if self.enabled else []
        return tuple(name for name, _, provider in named if provider == "kubernetescrd")

    @property
    def certificate_secret(self) -> str | None:
        """Secret that the Ingress names for TLS; None if TLS is not its own."""
        ends_elsewhere = self.gateway is not None or self.controller == "alb"
        return None if ends_elsewhere else self.tls_secret

    @property
    def issuer(self) -> str | None:
        """cert-manager issuer of ``certificate_secret``; None if that has another source, or no route of ours."""
        return self.cluster_issuer if self.enabled and self.certificate_secret else None

    @property
    def hosts(self) -> tuple[str, ...]:
        """Every public host name, ``host`` first."""
        return (self.host, *self.more_hosts)

    @property
    def authority(self) -> str:
        """The Host header that a browser sends."""
        return self._authority_of(self.host)

    @property
    def authorities(self) -> tuple[str, ...]:
        """The Host header of each public host name."""
        return tuple(self._authority_of(host) for host in self.hosts)

    def _authority_of(self, host: str) -> str:
        return host if self.public_port == 443 else f"{host}:{self.public_port}"

    @property
    def public_urls(self) -> tuple[str, ...]:
        """The address of each public host name, without a slash at the end."""
        return tuple(f"https://{authority}" for authority in self.authorities)

    @property
    def redirect_uris(self) -> tuple[str, ...]:
        """Where Keycloak may send the browser after a login at each host."""
        return tuple(f"{url}{LOGIN_RETURN}" for url in self.public_urls)

    @property
    def post_logout_uris(self) -> tuple[str, ...]:
        """Where Keycloak may send the browser after a logout at each host."""
        return tuple(f"{url}{LOGOUT_RETURN}" for url in self.public_urls)

    @property
    def public_url(self) -> str:
        """The address that users and the OIDC client see, without a slash at the end."""
        return f"https://{self.authority}"

    @property
    def redirect_uri(self) -> str:
        """Where Keycloak sends the browser after login."""
        return f"{self.public_url}{LOGIN_RETURN}"

    @property
    def post_logout_uri(self) -> str:
        """Where Keycloak may send the browser after logout: mlflow-oidc-auth 11.0.2 has its login page there."""
        return f"{self.public_url}{LOGOUT_RETURN}"
