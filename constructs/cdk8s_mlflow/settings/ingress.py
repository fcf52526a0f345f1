"""The public door: host, TLS and what stands in front."""

from typing import Annotated

from pydantic import Field

from cdk8s_mlflow.settings.section import DnsName, Hostname, Labels, Port, ProductVersion, Section, Text, matching


class CloudflaredSettings(Section):
    """A Cloudflare Tunnel that brings requests to Traefik."""

    image: Annotated[str, matching(r"[a-z0-9][a-z0-9./:_-]*[:@][A-Za-z0-9._:-]+", "registry/name:tag")] = (
        "docker.io/cloudflare/cloudflared:2025.8.1"
    )
    """Image with a tag or a digest."""

    replicas: Annotated[int, Field(ge=1, le=25)] = 2
    """Connectors of the tunnel."""

    origin: Hostname = "traefik.kube-system.svc"
    """Service of Traefik, which the tunnel's configuration at Cloudflare names as its origin."""


class IngressLimitSettings(Section):
    """What Traefik lets one source do: an address, however many users and jobs share it."""

    requests_in_flight: Annotated[int, Field(ge=0, le=100_000)] = 500
    """Requests of a source at once, on every path; a pod works on 40 and holds 1000 connections. 0 for no limit."""

    logins_per_second: Annotated[int, Field(ge=0, le=10_000)] = 10
    """Requests of a source a second at /login and /callback, on average; a login takes two. 0 for no limit."""

    login_burst: Annotated[int, Field(ge=1, le=100_000)] = 100
    """Requests of a source at /login and /callback that may come at once: 50 people behind one address."""

    logins_in_flight: Annotated[int, Field(ge=0, le=10_000)] = 50
    """Requests of a source at once at /login and /callback; each waits for Keycloak. 0 for no limit."""

    forwarded_depth: Annotated[int, Field(ge=0, le=10)] | None = None
    """Which address of X-Forwarded-For is the source, counted from the right; 0 is the connection's own.

    Each proxy in front of Traefik makes all clients one source unless this counts past it, and Traefik must trust its
    header (``forwardedHeaders.trustedIPs``). Unset: 1 with ``cloudflared``, else 0.
    """


class IngressSettings(Section):
    """How a browser reaches the tracking server."""

    host: Hostname
    """Public host name; the redirect URI, the allowed hosts and the CORS origins are derived from it."""

    public_port: Port = 443
    """Port of the public address, where it is not 443."""

    enabled: bool = True
    """Write the Ingress; false where another team routes to the Service."""

    class_name: DnsName = "traefik"
    """IngressClass that serves the host."""

    entry_point: Text = "websecure"
    """Traefik's entry point for TLS."""

    tls_secret: DnsName = "mlflow-tls"  # noqa: S105  (the name of a Secret)
    """Secret with the certificate of the host."""

    cluster_issuer: DnsName | None = "letsencrypt"
    """cert-manager ClusterIssuer that makes the certificate; null where ``tls_secret`` is made otherwise."""

    middleware: bool = True
    """Write Traefik's Middleware: HSTS, other security headers, and the forwarded protocol."""

    traefik_version: ProductVersion = "3.0"
    """Version of Traefik at least; our Middleware needs 2.11."""

    hsts_seconds: Annotated[int, Field(ge=0, le=63072000)] = 31536000
    """Seconds that browsers remember to use https alone."""

    limits: IngressLimitSettings = IngressLimitSettings()
    """Limits by source, as Traefik Middlewares; written with ``middleware``."""

    annotations: Labels = {}
    """More annotations of the Ingress."""

    cloudflared: CloudflaredSettings | None = None
    """A Cloudflare Tunnel in front of Traefik; unset for none."""

    @property
    def forwarded_depth(self) -> int:
        """Which address of X-Forwarded-For is a client's own; 0 is that of the connection."""
        given = self.limits.forwarded_depth
        return given if given is not None else int(self.cloudflared is not None)

    @property
    def authority(self) -> str:
        """The Host header that a browser sends."""
        return self.host if self.public_port == 443 else f"{self.host}:{self.public_port}"

    @property
    def public_url(self) -> str:
        """The address that users and the OIDC client see, without a slash at the end."""
        return f"https://{self.authority}"

    @property
    def redirect_uri(self) -> str:
        """Where Keycloak sends the browser after login."""
        return f"{self.public_url}/callback"

    @property
    def post_logout_uri(self) -> str:
        """Where Keycloak may send the browser after logout: mlflow-oidc-auth 11.0.2 has its login page there."""
        return f"{self.public_url}/oidc/ui/auth"
