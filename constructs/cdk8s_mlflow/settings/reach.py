"""What an address says about where packets to it go: what NetworkPolicies are derived from."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cdk8s_mlflow.settings.ip_addresses import ip_address

if TYPE_CHECKING:
    from cdk8s_mlflow.settings.environment import EnvironmentSettings

_PRIVATE = re.compile(r"(.*\.)?(internal|local|localdomain|lan|home|corp|private|intranet|home\.arpa)")
"""Names that public DNS does not have (RFC 6762, appendix G; RFC 8375; ICANN's resolution on .internal)."""

_CNPG_SERVICE = re.compile(r"(?P<cluster>.+)-(rw|ro|r)")


@dataclass(frozen=True, slots=True)
class Service:
    """A Service of the cluster."""

    name: str
    namespace: str


@dataclass(frozen=True, slots=True)
class Address:
    """Known IP addresses, each as the network of only that address."""

    cidrs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Public:
    """A name that public DNS may have."""


@dataclass(frozen=True, slots=True)
class Private:
    """A name that only a private DNS has, so that its addresses are unknown."""


@dataclass(frozen=True, slots=True)
class Local:
    """The pod itself, which no policy concerns."""


Reach = Service | Address | Public | Private | Local


def reach(host: str, settings: EnvironmentSettings) -> Reach:
    """Where packets to ``host`` go, as far as the name tells."""
    # A name with a dot at its end is the same name, fully qualified.
    name = host.strip("[]").rstrip(".").lower()
    named = ip_address(name)
    addresses = [named] if named else _aliased(name, settings)
    if not addresses and (name == "localhost" or name.endswith(".localhost")):
        return Local()
    if addresses:
        is_local = all(address.is_loopback for address in addresses)
        # Packets to ::ffff:10.0.0.1 are IPv4, and so is what a policy sees of them.
        plain = [getattr(address, "ipv4_mapped", None) or address for address in addresses]
        return Local() if is_local else Address(tuple(f"{one}/{one.max_prefixlen}" for one in plain))
    labels = name.removesuffix(f".{settings.network.cluster_domain}").split(".")
    if len(labels) == 3 and labels[2] == "svc":
        return Service(labels[0], labels[1])
    if len(labels) > 3 and labels[-1] == "svc":
        # The Service of a StatefulSet, with a pod's own name in front.
        return Service(labels[-3], labels[-2])
    # The pod's resolver looks in its own namespace first.
    if len(labels) == 1:
        return Service(name, settings.namespace)
    return Private() if _PRIVATE.fullmatch(name) else Public()


def is_aliased(host: str, settings: EnvironmentSettings) -> bool:
    """Whether our pods' own hosts file has it."""
    return bool(_aliased(host, settings))


def _aliased(name: str, settings: EnvironmentSettings) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    """What our pods' own hosts file says, which they read before they ask DNS."""
    return [ipaddress.ip_address(key) for key, names in settings.pods.host_aliases.items() if name in names]


def short_service(host: str) -> Service | None:
    """The Service that a name of two labels may mean beside a public name; None for other names."""
    labels = host.rstrip(".").split(".")
    return Service(labels[0], labels[1]) if len(labels) == 2 else None


def cnpg_cluster(service: Service) -> str | None:
    """The CloudNativePG Cluster whose Service it is, by CloudNativePG's names; None for another Service."""
    match = _CNPG_SERVICE.fullmatch(service.name)
    return match["cluster"] if match else None


def is_proxied(host: str, settings: EnvironmentSettings) -> bool:
    """Whether https to ``host`` is sent through ``network.proxy``."""
    proxy = settings.network.proxy
    # An alias of our pods is unknown to the proxy, so pods go to its address themselves.
    if proxy is None or isinstance(reach(host, settings), Service | Local) or is_aliased(host, settings):
        return False
    return not any(host == name or host.endswith(f".{name.removeprefix('.')}") for name in proxy.no_proxy)


def port_of(url: str) -> int:
    """Port of a URL, that of its scheme if it has none."""
    parts = urlsplit(url)
    return parts.port or (443 if parts.scheme == "https" else 80)
