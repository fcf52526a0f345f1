"""Settings of the ingress that are fine each and cannot work together, each with its remedy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cdk8s_mlflow.settings.ingress_controllers import (
    ALB_SECONDS,
    ANNOTATION_PREFIXES,
    CONTROLLERS,
    FOLLOWED_BY_SOME,
    FOLLOWING_ANNOTATIONS,
    GATEWAY_FOLLOWS,
    ROUTER_ANNOTATIONS,
    WITHOUT_TLS,
)
from cdk8s_mlflow.settings.reach import Service, reach
from cdk8s_mlflow.settings.section import Conflict

if TYPE_CHECKING:
    from cdk8s_mlflow.settings.environment import EnvironmentSettings
    from cdk8s_mlflow.settings.ingress import GatewaySettings, IngressSettings

_TLS_KEYS = ("tls_secret", "cluster_issuer", "issuer_kind")


def ingress_conflicts(settings: EnvironmentSettings) -> Iterator[Conflict]:
    """Dotted key and message for each setting of the ingress that cannot hold together with the others."""
    ingress = settings.ingress
    yield from _hosts(settings)
    # Without an Ingress each of these would ask for what then has no effect.
    if ingress.enabled:
        yield from _route(ingress)
    yield from _peers(settings)
    yield from _tunnel(settings)


def _route(ingress: IngressSettings) -> Iterator[Conflict]:
    yield from _not_followed(ingress)
    yield from _gateway(ingress) if ingress.gateway else _class(ingress)
    yield from _tls(ingress)
    yield from _entry_point(ingress)
    yield from _annotations(ingress)
    yield from _limits(ingress)


def _hosts(settings: EnvironmentSettings) -> Iterator[Conflict]:
    ingress = settings.ingress
    if ingress.host in ingress.more_hosts:
        yield "ingress.more_hosts", f"names {ingress.host} twice; remove one"
    # Whatever listens there speaks http.
    if ingress.public_port == 80:
        yield "ingress.public_port", "is 80, the port of http, but the public address is https; name another"
    if settings.authentication.keycloak_host in ingress.more_hosts and not settings.authentication.keycloak_path:
        yield "ingress.more_hosts", f"names {settings.authentication.keycloak_host}, Keycloak's own host; remove it"


def _is_set(ingress: IngressSettings, key: str) -> bool:
    section, _, name = key.rpartition(".")
    holder = getattr(ingress, section) if section else ingress
    return name in holder.model_fields_set


def _not_followed(ingress: IngressSettings) -> Iterator[Conflict]:
    follows = ingress.served_by.follows | (GATEWAY_FOLLOWS if ingress.gateway else frozenset())
    for key in sorted(FOLLOWED_BY_SOME - follows):
        if _is_set(ingress, key):
            able = ", ".join(name for name, controller in CONTROLLERS.items() if key in controller.follows)
            yield (
                f"ingress.{key}",
                f"has no effect with ingress.controller {ingress.controller}, only with {able}; remove it, or "
                "configure the controller itself",
            )


def _gateway(ingress: IngressSettings) -> Iterator[Conflict]:
    if ingress.controller not in ("traefik", "other"):
        yield (
            "ingress.controller",
            f"is {ingress.controller}, which serves an Ingress; with ingress.gateway use other (or traefik), and "
            "network.ingress_namespace for the Gateway's pods",
        )
    named = {
        text
        for parent in (ingress.gateway.parents if ingress.gateway else ())
        for text in (parent.name, parent.namespace or "")
    }
    if "controller" not in ingress.model_fields_set and not any("traefik" in name for name in named):
        yield (
            "ingress.controller",
            "is traefik by default, whose filters another Gateway answers with errors; set it to traefik if Traefik "
            "serves the Gateway, else to other",
        )
    yield from _parents(ingress.gateway) if ingress.gateway else ()
    if ingress.gateway and ingress.gateway.request_timeout and ingress.controller == "traefik":
        yield (
            "ingress.gateway.request_timeout",
            "is ignored by Traefik, whose entry point has the time-outs; remove it",
        )


def _parents(gateway: GatewaySettings) -> Iterator[Conflict]:
    """What the API server refuses (Gateway API v1, HTTPRoute, the rules of ``parentRefs``)."""
    parts: dict[tuple[str | None, str], list[tuple[str | None, int | None]]] = {}
    for parent in gateway.parents:
        parts.setdefault((parent.namespace, parent.name), []).append((parent.section_name, parent.port))
    for (_, name), named in parts.items():
        if len(set(named)) < len(named):
            yield "ingress.gateway.parents", f"names {name} twice; remove one"
        elif len(named) > 1 and (None, None) in named:
            yield (
                "ingress.gateway.parents",
                f"names {name} twice, once with all its listeners; name the section_name of each",
            )


def _annotations(ingress: IngressSettings) -> Iterator[Conflict]:
    for_traefik = ingress.controller == "traefik" and not ingress.gateway
    following = {**FOLLOWING_ANNOTATIONS, **(ROUTER_ANNOTATIONS if for_traefik else {})}
    for name in ingress.annotations:
        setting = following.get(name)
        readers = [reader for reader, prefixes in ANNOTATION_PREFIXES.items() if name.startswith(prefixes)]
        if setting:
            yield f"ingress.annotations.{name}", f"follows from {setting}; set that, and remove it here"
        elif readers and ingress.gateway:
            yield f"ingress.annotations.{name}", "has no effect on an HTTPRoute, only on an Ingress; remove it"
        elif readers and ingress.controller not in (*readers, "other"):
            yield (
                f"ingress.annotations.{name}",
                f"is read by {readers[0]} only, but ingress.controller is {ingress.controller}; remove it",
            )


def _limits(ingress: IngressSettings) -> Iterator[Conflict]:
    limits = ingress.limits
    if 0 < limits.requests_in_flight < limits.logins_in_flight and "logins_in_flight" in limits.model_fields_set:
        yield (
            "ingress.limits.logins_in_flight",
            f"is {limits.logins_in_flight}, more than ingress.limits.requests_in_flight, which is "
            f"{limits.requests_in_flight} and counts them too; lower it",
        )


def _class(ingress: IngressSettings) -> Iterator[Conflict]:
    if not ingress.ingress_class:
        yield "ingress.class_name", f"is required with ingress.controller {ingress.controller}; name the IngressClass"
    given = ingress.class_name or ""
    if given and not any(name in given for name in CONTROLLERS) and "controller" not in ingress.model_fields_set:
        yield (
            "ingress.controller",
            f"is {ingress.controller} by default, but ingress.class_name is {given}; set it to what serves that class, "
            "or to other",
        )
    alike = [name for name in CONTROLLERS if name in given and name != "other"]
    # Not if `controller` is set: a class may be called anything.
    if alike and "controller" not in ingress.model_fields_set and ingress.controller not in alike:
        yield (
            "ingress.controller",
            f"is {ingress.controller}, but ingress.class_name is {given}; set it to {alike[0]}, or to other if the "
            "class is served by something else",
        )


def _tls(ingress: IngressSettings) -> Iterator[Conflict]:
    if ingress.gateway or ingress.controller == "alb":
        owner = "the Gateway's listener" if ingress.gateway else "the load balancer (ingress.alb.certificate_arn)"
        for key in _TLS_KEYS:
            if _is_set(ingress, key) and getattr(ingress, key) is not None:
                yield f"ingress.{key}", f"has no effect: the certificate is that of {owner}; remove it"
    elif ingress.tls_secret is None and _is_set(ingress, "cluster_issuer") and ingress.cluster_issuer:
        yield "ingress.cluster_issuer", "has nowhere to put the certificate: ingress.tls_secret is null; name a Secret"
    if ingress.controller == "alb" and (ingress.timeout_seconds or 0) > ALB_SECONDS:
        yield (
            "ingress.timeout_seconds",
            f"is {ingress.timeout_seconds}, more than the {ALB_SECONDS} that a load balancer of AWS takes; lower it",
        )
    if ingress.controller == "alb" and ingress.public_port != 443:
        yield "ingress.public_port", "must be 443 with ingress.controller alb, whose listener has that port; remove it"


def _entry_point(ingress: IngressSettings) -> Iterator[Conflict]:
    """A router with TLS answers nothing that comes without, and one without nothing that comes with it."""
    name, is_plain = ingress.entry_point, not ingress.entry_point_tls
    if ingress.controller != "traefik" or ingress.gateway:
        return
    if is_plain and name == "websecure":
        yield "ingress.entry_point", "is websecure, which has TLS; name the one without, such as web"
    if is_plain and ingress.tls_secret is not None:
        yield (
            "ingress.tls_secret",
            f"is {ingress.tls_secret}, but with ingress.entry_point_tls false TLS ends in front of Traefik; set it to "
            "null",
        )
    if not is_plain and name in WITHOUT_TLS:
        yield (
            "ingress.entry_point",
            f"is {name}, which Traefik's chart opens without TLS; name the one with TLS, such as websecure, or set "
            "ingress.entry_point_tls to false if TLS ends in front of Traefik",
        )


def _tunnel(settings: EnvironmentSettings) -> Iterator[Conflict]:
    """The tunnel may speak to the controller's pods only, wherever its origin is."""
    tunnel, network = settings.ingress.cloudflared, settings.network
    if tunnel is None or not network.policies:
        return
    origin = reach(tunnel.origin, settings)
    allowed = network.ingress_namespace or settings.ingress.served_by.namespace
    if origin == Service(settings.name, settings.namespace):
        yield (
            "ingress.cloudflared.origin",
            f"is {tunnel.origin}, MLflow's own Service, which has neither TLS nor our limits; name the ingress "
            "controller's",
        )
        return
    if not network.ingress_namespace and settings.ingress.served_by.namespace_labels is None:
        yield (
            "network.ingress_namespace",
            f"is required, since the tunnel leads to {tunnel.origin}: name the namespace of the controller's pods, or "
            "the NetworkPolicy lets the tunnel reach none",
        )
    if isinstance(origin, Service) and allowed and origin.namespace != allowed:
        yield (
            "ingress.cloudflared.origin",
            f"is in {origin.namespace}, but the NetworkPolicy lets the tunnel speak to pods in {allowed}; name it in "
            "network.ingress_namespace, or correct it",
        )


def _peers(settings: EnvironmentSettings) -> Iterator[Conflict]:
    """The NetworkPolicy must know where requests come from, or none arrives."""
    ingress, network = settings.ingress, settings.network
    if not network.policies:
        return
    known = ingress.served_by.namespace_labels is not None or network.ingress_namespace or network.ingress_cidrs
    if not known and (ingress.enabled or "controller" in ingress.model_fields_set):
        key = "network.ingress_cidrs" if ingress.controller == "alb" else "network.ingress_namespace"
        what = "the load balancer's subnets" if ingress.controller == "alb" else "the controller's pods"
        yield (
            key,
            f"is required with ingress.controller {ingress.controller}: name {what}, or the NetworkPolicy "
            "lets no request through; or set network.policies to false",
        )
    labels_alone = network.ingress_pod_labels is not None and not network.ingress_namespace
    if labels_alone and ingress.served_by.namespace_labels is None:
        yield "network.ingress_pod_labels", "needs network.ingress_namespace too; name the namespace of the pods"
