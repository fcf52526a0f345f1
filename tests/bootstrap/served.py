"""HTTP servers of a test's own making."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from live.servers.certificates import Certificate


@contextmanager
def serving_http(handler: type[BaseHTTPRequestHandler], *, certificate: Certificate | None = None) -> Iterator[int]:
    """Serve on a free port of 127.0.0.1, which it gives; with TLS if there is a certificate."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        # TLS for the whole socket: each connection that it accepts is encrypted.
        context.load_cert_chain(certificate.certificate, certificate.key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
