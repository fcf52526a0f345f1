"""Where the server listens: flags of ``mlflow-sso serve``."""

import socket
from argparse import ArgumentParser, Namespace
from dataclasses import dataclass
from typing import Self

from mlflow_sso.errors import UsageError
from mlflow_sso.whole_numbers import within

ANY = "::"
"""Every address of the pod, IPv6 and IPv4."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """Where the server listens, with how many workers, and how long it may take to end."""

    host: str
    port: int
    metrics_port: int
    workers: int
    grace_seconds: int

    @classmethod
    def of(cls, arguments: Namespace) -> Self:
        """Raises ``UsageError`` where both ports are one."""
        if arguments.port == arguments.metrics_port:
            raise UsageError("--port and --metrics-port are the same", remedy="metrics have a port of their own")
        return cls(**{name: getattr(arguments, name) for name in cls.__slots__})


def available_host(host: str) -> str:
    """``host``, or every IPv4 address in place of ``ANY`` if the kernel has no IPv6."""
    if host != ANY:
        return host
    try:
        with listening_socket(host) as probe:
            # A kernel that knows IPv6 may have no address of it, which only binding tells.
            probe.bind((host, 0))
    except OSError:
        return "0.0.0.0"  # noqa: S104
    return host


def listening_socket(host: str) -> socket.socket:
    """A TCP socket of the family of ``host``; that of ``ANY`` takes IPv4 too, whose clients are then ``::ffff:…``."""
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    if host == ANY:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    return made


def add_listener_arguments(parser: ArgumentParser) -> None:
    """The flags of ``Listener``."""
    parser.add_argument("--host", default=ANY, help="address to listen on (default: %(default)s, both families)")
    parser.add_argument("--port", type=within(1, 65535), default=5000, help="public port (default: %(default)s)")
    parser.add_argument(
        "--metrics-port", type=within(1, 65535), default=9090, help="port of /metrics only (default: %(default)s)"
    )
    parser.add_argument("--workers", type=within(1, 64), default=1, help="processes (default: %(default)s)")
    parser.add_argument(
        "--grace-seconds",
        type=within(1, 3600),
        default=25,
        help="time for requests in flight after SIGTERM, below the pod's grace period (default: %(default)s)",
    )
