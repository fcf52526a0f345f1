"""fake-gcs-server, an emulator of Google Cloud Storage, and what hands out tokens beside it.

The emulator takes any token; ``guarded_url`` is the same server for requests with one that was handed out here.
"""

import base64
import json
import secrets
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, cast
from urllib.parse import parse_qs

from live.servers.cache import go_program
from live.servers.process import TlsServer

MODULE = "github.com/fsouza/fake-gcs-server"
VERSION = "v1.56.1"
ACCOUNT = "mlflow@example-project.iam.gserviceaccount.com"


@dataclass(kw_only=True)
class FakeGcs(TlsServer):
    """The JSON API, with objects in memory; with ``tls`` it has a certificate for ``localhost``."""

    name: ClassVar[str] = "fake-gcs"

    token: str = field(default_factory=lambda: f"ya29.{secrets.token_urlsafe(24)}", repr=False)
    """What is handed out for a signed request, and to a pod with an identity."""
    asked: list[str] = field(default_factory=list)
    """Who got a token: "key" or "identity" each."""

    @property
    def guarded_url(self) -> str:
        """Address of the same for requests that bear the token; without TLS, and only of a server without it."""
        return f"http://{self.metadata_host}"

    @property
    def metadata_host(self) -> str:
        """Host and port of GKE's metadata server, and of the token service."""
        return f"127.0.0.1:{self._front.server_address[1]}"

    @cached_property
    def key(self) -> str:
        """Key of a service account, as Google writes it."""
        return service_account_key(f"{self.guarded_url}/token")

    def prepare(self) -> Sequence[str]:
        """Build it once a machine."""
        place = ["-host", "127.0.0.1", "-port", str(self.port), "-external-url", self.url]
        options = ["-backend", "memory", "-log-level", "warn", "-scheme", "https" if self.tls else "http"]
        tls = ["-cert-location", str(self.certificate.certificate), "-private-key-location", str(self.certificate.key)]
        return [str(go_program(MODULE, VERSION)), *place, *options, *(tls if self.tls else [])]

    def start(self) -> "FakeGcs":
        """Start it and what stands before it."""
        threading.Thread(target=self._front.serve_forever, daemon=True).start()
        return super().start()

    def stop(self) -> None:
        """Stop both."""
        self._front.shutdown()
        super().stop()

    def ready(self) -> bool:
        """Whether it answers."""
        return self.answers("/storage/v1/b?project=any")

    @cached_property
    def _front(self) -> ThreadingHTTPServer:
        return ThreadingHTTPServer(("127.0.0.1", 0), type("Front", (_Front,), {"emulator": self}))


def service_account_key(token_address: str) -> str:
    """Such a key, of its own each time, whose owner asks ``token_address`` for tokens."""
    # Only who needs a key waits for the library.
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    named = {"type": "service_account", "project_id": "example-project", "private_key_id": secrets.token_hex(20)}
    login = {"client_email": ACCOUNT, "token_uri": token_address, "private_key": key.private_bytes(*form).decode()}
    return json.dumps({**named, **login, "universe_domain": "googleapis.com"}, indent=2)


class _Front(BaseHTTPRequestHandler):
    """What stands before ``emulator``."""

    emulator: ClassVar[FakeGcs]

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        if self.path == "/token":
            self._answer_form(self._body())
        else:
            self._forward()

    def do_GET(self) -> None:
        if self.path.startswith("/computeMetadata/v1/instance/service-accounts/"):
            self._answer_metadata()
        else:
            self._forward()

    def do_PUT(self) -> None:
        self._forward()

    def do_DELETE(self) -> None:
        self._forward()

    def _answer_form(self, body: bytes) -> None:
        """For an assertion signed by ``emulator.key``, whose signature no test can forge without the file."""
        (assertion,) = parse_qs(body.decode())["assertion"]
        if not _signed_by(self.emulator.key, assertion):
            self._send(400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."})
            return
        self.emulator.asked.append("key")
        self._send(200, {"access_token": self.emulator.token, "expires_in": 3599, "token_type": "Bearer"})

    def _answer_metadata(self) -> None:
        if "/token" not in self.path:
            self._send(200, {"email": ACCOUNT, "scopes": [], "aliases": ["default"]})
            return
        self.emulator.asked.append("identity")
        self._send(200, {"access_token": self.emulator.token, "expires_in": 3599, "token_type": "Bearer"})

    def _forward(self) -> None:
        body = self._body()
        if self.headers["Authorization"] != f"Bearer {self.emulator.token}":
            self._send(401, {"error": {"code": 401, "message": "Invalid Credentials"}})
            return
        connection = HTTPConnection("127.0.0.1", self.emulator.port)
        connection.request(self.command, self.path, body, {**self.headers, "Host": f"127.0.0.1:{self.emulator.port}"})
        answer = connection.getresponse()
        self._finish(answer.status, dict(answer.headers), answer.read())
        connection.close()

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers["Content-Length"] or 0))

    def _send(self, status: int, value: Any) -> None:
        given = {"Content-Type": "application/json", "Metadata-Flavor": "Google"}
        self._finish(status, given, json.dumps(value).encode())

    def _finish(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


def _signed_by(key: str, assertion: str) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import padding, rsa

    text, _, signature = assertion.rpartition(".")
    found = serialization.load_pem_private_key(json.loads(key)["private_key"].encode(), password=None)
    public = cast(rsa.RSAPrivateKey, found).public_key()
    try:
        public.verify(base64.urlsafe_b64decode(f"{signature}=="), text.encode(), padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True
