"""A private authority and the certificate of a server on this machine, for what must be tried with TLS."""

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from live.files import write_whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """PEM files of a server's certificate for ``localhost`` and 127.0.0.1, its key, and who signed it."""

    ca: Path
    certificate: Path
    key: Path

    def context(self) -> ssl.SSLContext:
        """A client's view that trusts only this authority."""
        return ssl.create_default_context(cafile=str(self.ca))

    @classmethod
    def within(cls, folder: Path) -> Self:
        """Those of a folder, which is created if it is missing."""
        folder.mkdir(parents=True, exist_ok=True)
        return cls(ca=folder / "ca.crt", certificate=folder / "tls.crt", key=folder / "tls.key")

    def write(self, *, ca: bytes, certificate: bytes, key: bytes) -> None:
        """Write the files, the key last and for its owner only."""
        self.ca.write_bytes(ca)
        self.certificate.write_bytes(certificate)
        write_whole(self.key, key)

    def copy_to(self, folder: Path) -> None:
        """Write it into ``folder``, where a server keeps its own."""
        contents = {name: getattr(self, name).read_bytes() for name in ("ca", "certificate", "key")}
        Certificate.within(folder).write(**contents)


def issue(folder: Path, *names: str) -> Certificate:
    """The certificate kept in ``folder``, made where there is none, also valid for the DNS ``names``."""
    issued = Certificate.within(folder)
    # The key is written last, so its presence means that all three are there.
    if not issued.key.exists():
        sign(issued, "localhost", *names)
    return issued


def sign(target: Certificate, *names: str) -> None:
    """Write a certificate for ``names``, of an authority of its own."""
    # Only who needs a certificate waits for the library.
    from cdk8s_mlflow.trial.certificates import issue

    signed = issue(*names)
    target.write(ca=signed.authority, certificate=signed.certificate, key=signed.key)
