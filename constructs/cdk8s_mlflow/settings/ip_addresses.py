"""Addresses of the internet protocol, in the one spelling that the API server and NetworkPolicies understand."""

import ipaddress

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network


def ip_address(value: str) -> IpAddress | None:
    """``value`` as an address; None for a name."""
    try:
        return ipaddress.ip_address(value)
    except ValueError:
        return None


def plain_address(value: str, *, takes_mapped: bool = False) -> IpAddress | None:
    """``value`` as an address; None for a name. A URL may hold IPv4 as IPv6, which is then connected to as IPv4.

    Raises:
        ValueError: it means an interface of one machine, or is IPv4 in the disguise of IPv6: the API server refuses
            both, and a policy sees the packets of the second with their IPv4 address.
    """
    address = ip_address(value)
    if isinstance(address, ipaddress.IPv6Address):
        if address.scope_id is not None:
            raise ValueError(f"must not name an interface; remove %{address.scope_id}")
        if address.ipv4_mapped is not None and not takes_mapped:
            raise ValueError(f"must be written as IPv4: {address.ipv4_mapped}")
    return address


def network_of(value: str) -> IpNetwork:
    """``value`` as a network.

    Raises:
        ValueError: it is none, or has host bits.
    """
    try:
        return ipaddress.ip_network(value)
    except ValueError as error:
        raise ValueError("must be a network such as 203.0.113.0/24, with no host bits set") from error


def plain_network(value: str) -> str:
    """The network ``value`` in one spelling, since one of IPv6 has several.

    Raises:
        ValueError: it is none, has host bits, or is of no plain addresses.
    """
    network = network_of(value)
    plain_address(str(network.network_address))
    return str(network)
