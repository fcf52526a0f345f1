"""The cluster's authorities, certificates and kubeconfigs, new for each node."""

import datetime
import ipaddress
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from cdk8s_mlflow.trial.certificates import signs_certificates

_LIFETIME = datetime.timedelta(days=30)
_PEM = serialization.Encoding.PEM
_PKCS8, _PLAIN = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()


@dataclass(frozen=True, slots=True)
class Authority:
    """An authority in ``folder`` named ``name``, with its key in memory only."""

    folder: Path
    name: str
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def create(cls, folder: Path, name: str) -> "Authority":
        """A new one; writes ``NAME.crt``."""
        folder.mkdir(parents=True, exist_ok=True)
        authority = cls(folder, name, ec.generate_private_key(ec.SECP256R1()))
        builder = _builder(_subject(name), _subject(name), authority.key)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        builder = builder.add_extension(signs_certificates(), critical=True)
        certificate = builder.sign(authority.key, hashes.SHA256())
        (folder / f"{name}.crt").write_bytes(certificate.public_bytes(_PEM))
        return authority

    def issue(self, name: str, user: str, *, groups: Sequence[str] = (), hosts: Sequence[str] = ()) -> None:
        """Write ``name.crt`` and ``name.key`` for ``user``: a server's with ``hosts``, a client's without."""
        key = ec.generate_private_key(ec.SECP256R1())
        usage = ExtendedKeyUsageOID.SERVER_AUTH if hosts else ExtendedKeyUsageOID.CLIENT_AUTH
        builder = _builder(_subject(user, groups), _subject(self.name), key)
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        if hosts:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([_host(host) for host in hosts]), critical=False
            )
        (self.folder / f"{name}.crt").write_bytes(builder.sign(self.key, hashes.SHA256()).public_bytes(_PEM))
        write_key(self.folder / f"{name}.key", key.private_bytes(_PEM, _PKCS8, _PLAIN))


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder(subject_name=subject, issuer_name=issuer, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        # For clocks that are set back a little.
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + _LIFETIME)
    )


def _subject(user: str, groups: Sequence[str] = ()) -> x509.Name:
    organizations = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    return x509.Name([*organizations, x509.NameAttribute(NameOID.COMMON_NAME, user)])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def write_key(file: Path, text: bytes) -> None:
    """Write a private key that only we can read."""
    file.touch(mode=0o600)
    file.write_bytes(text)


def service_account_keys(folder: Path) -> None:
    """Write ``sa.key`` and ``sa.pub``, by which the API server signs tokens of ServiceAccounts."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    write_key(folder / "sa.key", key.private_bytes(_PEM, _PKCS8, _PLAIN))
    public = key.public_key().public_bytes(_PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    (folder / "sa.pub").write_bytes(public)


def kubeconfig(file: Path, *, server: str, folder: Path, user: str) -> Path:
    """Write a kubeconfig for the certificate ``user`` of ``folder``, as JSON, which is YAML, too."""
    cluster = {"server": server, "certificate-authority": str(folder / "ca.crt")}
    login = {"client-certificate": str(folder / f"{user}.crt"), "client-key": str(folder / f"{user}.key")}
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "node", "cluster": cluster}],
        "users": [{"name": user, "user": login}],
        "contexts": [{"name": "node", "context": {"cluster": "node", "user": user}}],
        "current-context": "node",
    }
    write_key(file, json.dumps(content).encode())
    return file
