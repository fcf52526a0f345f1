"""Requests to public addresses, as a browser sends them."""

import json
import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import certifi
import urllib3
from urllib3.util import Timeout

from mlflow_bootstrap.doctor.errors import CannotReadError

_TIMEOUT = Timeout(connect=3, read=6)


@dataclass(frozen=True, slots=True)
class Reply:
    """Status, headers and body of an answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        """The body as an object; empty if it is none."""
        try:
            found = json.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}


@dataclass(frozen=True, kw_only=True)
class Web:
    """``connect`` is where every public host answers, as host and port; None where DNS says.

    Trusts the public authorities, and those of the files that SSL_CERT_FILE and KEYCLOAK_CACERT name.
    """

    connect: tuple[str, int] | None = None
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)

    @cached_property
    def context(self) -> ssl.SSLContext:
        """For TLS."""
        context = ssl.create_default_context(cafile=certifi.where())
        for variable in ("SSL_CERT_FILE", "KEYCLOAK_CACERT"):
            if path := self.environ.get(variable):
                try:
                    context.load_verify_locations(path)
                except (OSError, ssl.SSLError) as error:
                    raise CannotReadError(
                        f"cannot read the authorities in {path} ({type(error).__name__})",
                        remedy=f"correct {variable}",
                    ) from None
        return context

    def place(self, url: str) -> tuple[str, int]:
        """Host and port to connect to for ``url``."""
        parts = urlsplit(url)
        own = (parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
        # Plain http is only that of registries and tunnels, which --connect does not speak of.
        return self.connect if self.connect and parts.scheme == "https" else own

    def request(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Reply:
        """One request, without following redirects.

        Raises:
            CannotReadError: there is no answer; the text says why.
        """
        parts = urlsplit(url)
        host, port = self.place(url)
        sent = {"Host": parts.netloc, "User-Agent": "cdk8s-mlflow-doctor", **(headers or {})}
        target = parts.path + (f"?{parts.query}" if parts.query else "") or "/"
        try:
            with self._pool(parts.scheme, host, port, parts.hostname or "") as pool:
                answer = pool.request(method, target, headers=sent, body=body, redirect=False, retries=False)
                return Reply(answer.status, answer.headers, answer.data)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise CannotReadError(
                f"no answer from {parts.scheme}://{parts.netloc} at {host}:{port} ({_reason(error)})",
                remedy=_remedy(error),
            ) from None

    def _pool(self, scheme: str, host: str, port: int, name: str) -> urllib3.HTTPConnectionPool:
        if scheme == "http":
            return urllib3.HTTPConnectionPool(host, port, timeout=_TIMEOUT)
        return urllib3.HTTPSConnectionPool(
            # SNI and the certificate's name stay those of the URL, also if --connect leads elsewhere.
            host,
            port,
            timeout=_TIMEOUT,
            ssl_context=self.context,
            server_hostname=name,
            assert_hostname=name,
        )


def _reason(error: Exception) -> str:
    if isinstance(error, urllib3.exceptions.SSLError):
        return str(error)
    return type(error).__name__


def _remedy(error: Exception) -> str:
    if isinstance(error, urllib3.exceptions.SSLError):
        return "renew the certificate, or name its private authority in SSL_CERT_FILE"
    return "look at DNS and at the ingress controller, or name it with --connect"
