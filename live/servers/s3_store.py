"""What the servers of S3 have in common: an address, and a user who may make buckets."""

import secrets
from dataclasses import dataclass, field

from live.servers.process import TlsServer


@dataclass(kw_only=True)
class S3Store(TlsServer):
    """A server of S3 on its port."""

    root_user: str = "root-of-the-store"
    root_password: str = field(default_factory=lambda: secrets.token_urlsafe(18), repr=False)
