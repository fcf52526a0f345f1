"""A private authority and the certificate of a server on this machine, for what must be tried with TLS."""

import ssl
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """PEM files of a server's certificate for ``localhost`` and 127.0.0.1, its key, and who signed it."""

    ca: Path
    certificate: Path
    key: Path

    def context(self) -> ssl.SSLContext:
        """A client's view that trusts only this authority."""
        return ssl.create_default_context(cafile=str(self.ca))

    def copy_to(self, folder: Path) -> None:
        """Write it into ``folder``, where a server keeps its own."""
        folder.mkdir(parents=True, exist_ok=True)
        copy = Certificate(ca=folder / "ca.crt", certificate=folder / "tls.crt", key=folder / "tls.key")
        copy.ca.write_bytes(self.ca.read_bytes())
        copy.certificate.write_bytes(self.certificate.read_bytes())
        copy.key.touch(mode=0o600)
        copy.key.write_bytes(self.key.read_bytes())


def issue(folder: Path, *names: str) -> Certificate:
    """The certificate kept in ``folder``, made where there is none, also valid for the DNS ``names``."""
    issued = Certificate(ca=folder / "ca.crt", certificate=folder / "tls.crt", key=folder / "tls.key")
    # The key is written last, so its presence means that all three are there.
    if not issued.key.exists():
        folder.mkdir(parents=True, exist_ok=True)
        _make(issued, ("localhost", *names))
    return issued


def issue_client(folder: Path, name: str) -> Certificate:
    """A client's certificate for the user ``name``, of an authority of its own."""
    issued = Certificate(ca=folder / "ca.crt", certificate=folder / "tls.crt", key=folder / "tls.key")
    folder.mkdir(parents=True, exist_ok=True)
    _make(issued, (name,))
    return issued


def _make(target: Certificate, names: tuple[str, ...]) -> None:
    # Only who needs a certificate waits for the library.
    from cdk8s_mlflow.trial.certificates import issue as sign

    signed = sign(*names)
    target.ca.write_bytes(signed.authority)
    target.certificate.write_bytes(signed.certificate)
    target.key.touch(mode=0o600)
    target.key.write_bytes(signed.key)
