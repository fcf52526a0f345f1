"""What the servers of S3 have in common: an address, and a user who may make buckets."""

import secrets
from dataclasses import dataclass, field

from live.servers.certificates import Certificate, issue
from live.servers.process import Server


@dataclass(kw_only=True)
class S3Store(Server):
    """A server of S3 on its port."""

    tls: bool = False
    root_user: str = "root-of-the-store"
    root_password: str = field(default_factory=lambda: secrets.token_urlsafe(18), repr=False)

    @property
    def url(self) -> str:
        """Address of the S3 API."""
        return f"https://localhost:{self.port}" if self.tls else f"http://127.0.0.1:{self.port}"

    @property
    def certificate(self) -> Certificate:
        """The server's certificate, created if it is missing."""
        return issue(self.folder / "tls")
