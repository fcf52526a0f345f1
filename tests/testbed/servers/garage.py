"""Garage, built from its crate: an S3 of its own region, whose keys have rights on each bucket."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from live.servers.process import answers, free_port
from live.servers.s3_store import S3Store
from testbed.servers.programs import cargo_program

VERSION = "2.5.0"
SETTINGS = """
metadata_dir = "{folder}/metadata"
data_dir = "{folder}/objects"
db_engine = "sqlite"
replication_factor = 1
rpc_bind_addr = "127.0.0.1:{rpc}"
rpc_public_addr = "127.0.0.1:{rpc}"
rpc_secret = "{secret}"

[s3_api]
s3_region = "us-east-1"
api_bind_addr = "127.0.0.1:{port}"

[admin]
api_bind_addr = "127.0.0.1:{admin}"
"""


@dataclass(kw_only=True)
class Garage(S3Store):
    """One node; it takes keys in its own form only, and without ``s3_region`` only the region ``garage``."""

    name: ClassVar[str] = "garage"

    root_user: str = field(default_factory=lambda: f"GK{secrets.token_hex(12)}")
    root_password: str = field(default_factory=lambda: secrets.token_hex(32), repr=False)
    admin_port: int = field(default_factory=free_port)

    def prepare(self) -> Sequence[str]:
        """Build Garage once a machine, which takes 20 minutes of two processors."""
        program = cargo_program("garage", VERSION)
        # A cluster of one insists on a port for its peers, too.
        ports = {"port": self.port, "rpc": free_port(), "admin": self.admin_port}
        settings = self.folder / "garage.toml"
        settings.write_text(SETTINGS.format(folder=self.folder, secret=secrets.token_hex(32), **ports))
        return [str(program), f"--config={settings}", "server", "--single-node", "--default-access-key"]

    def environment(self) -> Mapping[str, str]:
        """The key that it makes, which may make buckets."""
        return {"GARAGE_DEFAULT_ACCESS_KEY": self.root_user, "GARAGE_DEFAULT_SECRET_KEY": self.root_password}

    def ready(self) -> bool:
        """Whether its one node has its place in the layout."""
        return answers(f"http://127.0.0.1:{self.admin_port}/health")
