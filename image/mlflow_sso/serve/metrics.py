"""Prometheus metrics of all workers on a port of their own, which no Ingress reaches."""

from typing import Any


def serve_metrics(*, host: str, port: int) -> None:
    """Answer on ``port`` from a thread, with what the workers have written to PROMETHEUS_MULTIPROC_DIR.

    Runs in the process that starts the workers, so that it answers whichever of them is up. Raises ``OSError``.
    """
    from prometheus_client import CollectorRegistry, start_http_server
    from prometheus_client.multiprocess import MultiProcessCollector

    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    start_http_server(port, host, registry)


def hide_from_public_port() -> None:
    """Answer 404 at ``/metrics`` of the public port, where MLflow would show it to everybody."""
    from flask import abort
    from mlflow.server import app

    def not_found(**_: Any) -> None:
        abort(404)

    app.view_functions["prometheus_metrics"] = not_found
