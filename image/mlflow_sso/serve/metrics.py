"""The port that no Ingress reaches: Prometheus metrics of all workers, and whether they are alive."""

import socket
from collections.abc import Callable, Iterable
from pathlib import Path
from socketserver import ThreadingMixIn
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from mlflow_sso.schemas import schemas
from mlflow_sso.secrets_root import DEFAULT_ROOT, SecretsRoot
from mlflow_sso.serve.gauges import DatabaseGauges
from mlflow_sso.serve.health import alive
from mlflow_sso.serve.listener import ANY

CLIENT_SECONDS = 30
"""What a client of this port may take for its request."""


class _Server(ThreadingMixIn, WSGIServer):
    """A thread for each connection, so that a scrape keeps no probe waiting."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], handler: type[WSGIRequestHandler]) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, handler)

    def server_bind(self) -> None:
        """Take IPv4 too on every address of both families."""
        if self.server_address[0] == ANY:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()


class _Handler(WSGIRequestHandler):
    """Without a log line for each probe."""

    timeout = CLIENT_SECONDS

    def log_message(self, format: str, *arguments: Any) -> None:
        pass


def serve_metrics(*, host: str, port: int, heartbeats: Path, collectors: Iterable[Any] = ()) -> None:
    """Answer ``/metrics`` on ``port`` from threads, with what the workers have written to PROMETHEUS_MULTIPROC_DIR
    and what ``collectors`` find.

    ``/health`` answers 200 while the event loops of all workers turn, which they say in ``heartbeats``, else 503. Runs
    in the process that starts the workers, so that it answers whichever of them is up. Raises ``OSError``.
    """
    # Only programs that use prometheus_client spend the time of its import.
    from prometheus_client import CollectorRegistry, make_wsgi_app
    from prometheus_client.multiprocess import MultiProcessCollector

    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    for collector in (DatabaseGauges(schemas(SecretsRoot(DEFAULT_ROOT))), *collectors):
        registry.register(collector)
    metrics = make_wsgi_app(registry)

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        match environ["PATH_INFO"]:
            case "/metrics":
                answer: Iterable[bytes] = metrics(environ, start_response)
                return answer
            case "/health" if alive(heartbeats):
                status, text = "200 OK", b"OK"
            case "/health":
                status, text = "503 Service Unavailable", b"no worker, or one that hangs"
            case _:
                status, text = "404 Not Found", b"only /metrics and /health"
        start_response(status, [("Content-Type", "text/plain")])
        return [text]

    server = make_server(host, port, application, _Server, _Handler)
    Thread(target=server.serve_forever, daemon=True).start()


def hide_from_public_port() -> None:
    """Answer 404 at ``/metrics`` of the public port, where MLflow would show it to everybody."""
    # Importing MLflow takes seconds, which only the server and an upgrade spend.
    from flask import abort
    from mlflow.server import app

    def not_found(**_: Any) -> None:
        abort(404)

    app.view_functions["prometheus_metrics"] = not_found
