"""SeaweedFS, built from the source of its Go module: another S3 than MinIO's."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from live.servers.process import answers, free_port
from live.servers.s3_store import S3Store
from testbed.servers.programs import go_checkout

MODULE = "github.com/seaweedfs/seaweedfs"
VERSION = "v0.0.0-20261109003541-7506e5f91cd6"


LIMITED = "limited"
"""User that may use only the bucket of the same name, with the password of root."""


def _limited(password: str) -> dict[str, object]:
    actions = [f"{action}:{LIMITED}" for action in ("Read", "Write", "List")]
    return {"name": LIMITED, "credentials": [{"accessKey": LIMITED, "secretKey": password}], "actions": actions}


@dataclass(kw_only=True)
class Seaweedfs(S3Store):
    """Master, volume server, filer and S3 gateway in one process."""

    name: ClassVar[str] = "seaweedfs"

    root_user: str = "root-of-seaweedfs"

    def prepare(self) -> Sequence[str]:
        """Build SeaweedFS once a machine, and give it its users."""
        program = go_checkout(MODULE, VERSION, package="weed")
        login = {"accessKey": self.root_user, "secretKey": self.root_password}
        user = {"name": "root", "credentials": [login], "actions": ["Admin", "Read", "Write", "List", "Tagging"]}
        users = self.folder / "users.json"
        users.write_text(json.dumps({"identities": [user, _limited(self.root_password)]}))
        # A bucket's first object waits for the volumes that are made for it, by default seven.
        (self.folder / "master.toml").write_text("[master.volume_growth]\ncopy_1 = 1\n")
        objects = self.folder / "objects"
        objects.mkdir(exist_ok=True)
        options = {
            "dir": objects,
            "ip": "127.0.0.1",
            "ip.bind": "127.0.0.1",
            "filer": "true",
            "s3": "true",
            "s3.config": users,
            # Else a write to a bucket that is missing makes it, where the user is an administrator.
            "s3.autoCreateBucket": "false",
            "s3.port": self.port,
            # Zero turns off two interfaces beside S3.
            "s3.port.iceberg": 0,
            "s3.port.lance": 0,
            "s3.port.grpc": free_port(),
            "volume.max": 0,
            "master.volumeSizeLimitMB": 64,
            "master.telemetry": "false",
        }
        for part in ("master", "volume", "filer"):
            options |= {f"{part}.port": free_port(), f"{part}.port.grpc": free_port()}
        return [str(program), "server", *(f"-{name}={value}" for name, value in options.items())]

    def ready(self) -> bool:
        """Whether its S3 gateway answers."""
        return answers(f"{self.url}/status")
