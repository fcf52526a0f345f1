"""A token service in the place of Entra ID: a token of Azure Storage for an assertion of a ServiceAccount."""

import json
import ssl
import tempfile
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs

from web_tokens import part

from live.servers.certificates import Certificate, issue


def storage_token() -> str:
    """As Azurite takes it, which reads the claims and no signature (Azurite's README, "OAuth")."""
    now = int(time.time())
    issuer = "https://sts.windows.net/00000000-0000-4000-8000-00000000000b/"
    claims = {"aud": "https://storage.azure.com", "iss": issuer, "iat": now, "nbf": now - 60, "exp": now + 3600}
    return f"{part({'alg': 'RS256', 'typ': 'JWT'})}.{part(claims)}.{part('unsigned')}"


@dataclass
class TokenService:
    """Also a context manager; ``assertions`` are those that clients have sent."""

    assertions: list[str] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="entra-")
        self.certificate: Certificate = issue(Path(self._folder.name))
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.certificate.certificate, self.certificate.key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._folder.cleanup()

    @property
    def url(self) -> str:
        """The authority."""
        return f"https://localhost:{self._server.server_address[1]}"

    def answer(self, body: str) -> dict[str, Any]:
        """A token for the assertion of a form."""
        self.assertions += parse_qs(body).get("client_assertion", [])
        return {"token_type": "Bearer", "expires_in": 3599, "access_token": storage_token()}

    def configuration(self, path: str) -> dict[str, Any]:
        """What a client asks first: where tokens are given."""
        root = f"{self.url}/{path.strip('/').partition('/')[0]}"
        places = {
            "authorization_endpoint": f"{root}/oauth2/v2.0/authorize",
            "token_endpoint": f"{root}/oauth2/v2.0/token",
        }
        return {"issuer": f"{root}/v2.0", **places}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._send(service.configuration(self.path))

            def do_POST(self) -> None:
                self._send(service.answer(self.rfile.read(int(self.headers["Content-Length"])).decode()))

            def _send(self, value: dict[str, Any]) -> None:
                body = json.dumps(value).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Nothing."""

        return Handler
