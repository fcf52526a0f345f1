"""A private authority and a server's certificate that it has signed."""

import datetime
import ipaddress
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

LIFETIME = datetime.timedelta(days=800)
"""Browsers take no more than 825 days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """PEM texts; the authority's own key is kept nowhere."""

    authority: bytes
    certificate: bytes
    key: bytes = field(repr=False)


def signs_certificates() -> x509.KeyUsage:
    """Key usage of an authority (RFC 5280, 4.2.1.3); Python 3.13 and newer refuses an authority without it."""
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


def issue(*names: str) -> Certificate:
    """A certificate for 127.0.0.1 and the DNS ``names``, of an authority of its own."""
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "local authority")])
    own_name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, names[0])])
    now = datetime.datetime.now(datetime.UTC)

    def signed(subject: x509.Name, public: ec.EllipticCurvePublicKey, *, authority: bool) -> bytes:
        addresses = [x509.DNSName(name) for name in names] + [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        builder = (
            x509.CertificateBuilder(subject_name=subject, issuer_name=ca_name, public_key=public)
            .serial_number(x509.random_serial_number())
            # For machines whose clocks differ a little.
            .not_valid_before(now - datetime.timedelta(minutes=5))
            .not_valid_after(now + LIFETIME)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
        )
        if authority:
            builder = builder.add_extension(signs_certificates(), critical=True)
        else:
            builder = builder.add_extension(x509.SubjectAlternativeName(addresses), critical=False)
        return builder.sign(ca_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    return Certificate(
        authority=signed(ca_name, ca_key.public_key(), authority=True),
        certificate=signed(own_name, key.public_key(), authority=False),
        key=key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
    )
