"""The authority of the tests and of ``make live``, judged as Python 3.13 and newer judge every authority."""

import ssl
from pathlib import Path

import pytest

from live.servers.certificates import Certificate, issue
from mlflow_sso.check.identity_provider import tls_remedy


def handshake(certificate: Certificate, client: ssl.SSLContext) -> None:
    """A handshake in memory; raises ``ssl.SSLCertVerificationError``."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate.certificate, certificate.key)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = [
        client.wrap_bio(to_client, to_server, server_hostname="localhost"),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    # Enough rounds for a whole handshake of any version of TLS.
    for _ in range(4):
        for side in sides:
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue


def test_authority_passes_strict_verification(tmp_path: Path) -> None:
    certificate = issue(tmp_path)
    strict = certificate.context()
    strict.verify_flags |= ssl.VERIFY_X509_STRICT

    handshake(certificate, strict)


def test_strict_verification_refuses_other_authorities(tmp_path: Path) -> None:
    certificate, other = issue(tmp_path / "own"), issue(tmp_path / "other")
    strict = other.context()
    strict.verify_flags |= ssl.VERIFY_X509_STRICT

    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(certificate, strict)


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        ("CA cert does not include key usage extension", "keyUsage = critical, keyCertSign"),
        ("Missing Subject Key Identifier", "key identifiers"),
        ("unable to get local issuer certificate", "ca/ca.crt"),
    ],
)
def test_tls_remedy_names_the_missing_extension(error: str, remedy: str) -> None:
    assert remedy in tls_remedy(f"certificate verify failed: {error} (_ssl.c:1032)")
