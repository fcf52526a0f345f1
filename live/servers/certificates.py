"""A private authority and the certificate of a server on this machine, for what must be tried with TLS."""

import datetime
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography import x509

LIFETIME = datetime.timedelta(days=800)
"""Browsers take no more than 825 days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """PEM files of a server's certificate for ``localhost`` and 127.0.0.1, its key, and who signed it."""

    ca: Path
    certificate: Path
    key: Path

    def context(self) -> ssl.SSLContext:
        """A client's view that trusts this authority alone."""
        return ssl.create_default_context(cafile=str(self.ca))

    def copy_to(self, folder: Path) -> None:
        """Make it the certificate of the server that keeps its own in ``folder``."""
        folder.mkdir(parents=True, exist_ok=True)
        copy = Certificate(ca=folder / "ca.crt", certificate=folder / "tls.crt", key=folder / "tls.key")
        copy.ca.write_bytes(self.ca.read_bytes())
        copy.certificate.write_bytes(self.certificate.read_bytes())
        copy.key.touch(mode=0o600)
        copy.key.write_bytes(self.key.read_bytes())


def issue(folder: Path, *names: str) -> Certificate:
    """The certificate kept in ``folder``, made where there is none, also valid for the DNS ``names``."""
    issued = Certificate(ca=folder / "ca.crt", certificate=folder / "tls.crt", key=folder / "tls.key")
    if not issued.key.exists():
        folder.mkdir(parents=True, exist_ok=True)
        _make(issued, ("localhost", *names))
    return issued


def signs_certificates() -> "x509.KeyUsage":
    """Key usage of an authority (RFC 5280, 4.2.1.3)."""
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )


def _make(target: Certificate, names: tuple[str, ...]) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "local authority")])
    own_name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, names[0])])
    now = datetime.datetime.now(datetime.UTC)

    def signed(subject: x509.Name, public: ec.EllipticCurvePublicKey, *, authority: bool) -> x509.Certificate:
        addresses = [x509.DNSName(name) for name in names] + [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        builder = (
            x509.CertificateBuilder(subject_name=subject, issuer_name=ca_name, public_key=public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(minutes=5))
            .not_valid_after(now + LIFETIME)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
        )
        if authority:
            # Python 3.13 and newer refuses an authority that does not say that it signs certificates.
            builder = builder.add_extension(signs_certificates(), critical=True)
        else:
            builder = builder.add_extension(x509.SubjectAlternativeName(addresses), critical=False)
        return builder.sign(ca_key, hashes.SHA256())

    pem = serialization.Encoding.PEM
    target.ca.write_bytes(signed(ca_name, ca_key.public_key(), authority=True).public_bytes(pem))
    target.certificate.write_bytes(signed(own_name, key.public_key(), authority=False).public_bytes(pem))
    target.key.touch(mode=0o600)
    target.key.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
