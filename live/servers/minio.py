"""MinIO, built from its Go module."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from live.servers.cache import go_program
from live.servers.s3_store import S3Store

MODULE = "github.com/minio/minio"
VERSION = "v0.0.0-20260212201848-7aac2a2c5b7c"


@dataclass(kw_only=True)
class Minio(S3Store):
    """A MinIO server of one folder; ``tls`` gives it a certificate for ``localhost``."""

    name: ClassVar[str] = "minio"

    root_user: str = "root-of-minio"

    def prepare(self) -> Sequence[str]:
        """Build MinIO once a machine."""
        program = go_program(MODULE, VERSION)
        objects, certificates = self.folder / "objects", self.folder / "certs"
        objects.mkdir(exist_ok=True)
        certificates.mkdir(exist_ok=True)
        if self.tls:
            (certificates / "public.crt").write_bytes(self.certificate.certificate.read_bytes())
            (certificates / "private.key").write_bytes(self.certificate.key.read_bytes())
        address = f"127.0.0.1:{self.port}"
        return [str(program), "server", "--quiet", "--address", address, "--certs-dir", str(certificates), str(objects)]

    def environment(self) -> Mapping[str, str]:
        """Root's login; no console, no look for updates."""
        login = {"MINIO_ROOT_USER": self.root_user, "MINIO_ROOT_PASSWORD": self.root_password}
        # Two threads, or each of several servers would use all cores for itself.
        return {**login, "MINIO_UPDATE": "off", "MINIO_BROWSER": "off", "GOMAXPROCS": "2"}

    def ready(self) -> bool:
        """Whether it can write; ``health/ready`` says so before S3 answers anything but 503."""
        return self.answers("/minio/health/cluster")
