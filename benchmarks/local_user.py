"""A user of Locust's who asks a server of this machine."""

import os
import ssl
from typing import Any

from gevent import get_hub
from gevent.resolver.thread import Resolver
from locust import FastHttpUser


class LocalNames(Resolver):
    """Finds names below ``localhost`` on this machine, as browsers and curl do (RFC 6761)."""

    def getaddrinfo(self, host: str, *arguments: Any, **named: Any) -> list[Any]:
        """As ``socket.getaddrinfo``."""
        local = host.endswith(".localhost")
        found: list[Any] = super().getaddrinfo("127.0.0.1" if local else host, *arguments, **named)
        return found


get_hub().resolver = LocalNames(get_hub())


def trusted() -> ssl.SSLContext:
    """Trusts the authority of the node's certificates."""
    return ssl.create_default_context(cafile=os.environ["LOAD_AUTHORITY"])


class LocalUser(FastHttpUser):
    """Gives up after two minutes as MLflow's client does."""

    abstract = True
    # FastHttpUser checks no certificate unless told to.
    insecure = False
    network_timeout = connection_timeout = 120.0
    ssl_context_factory = staticmethod(trusted)
