"""Serves ``POST /v1/traces``, which the plugin's application leaves out: traces of MLflow's client had no spans.

MLflow 3.6.0 has the route in a router of FastAPI that only its own application includes
(mlflow/server/fastapi_app.py); the plugin's has nothing but MLflow's Flask application
(mlflow_oidc_auth/fastapi_app.py). The client passes over the answer, and later finds a trace without data.
"""

import asyncio
from dataclasses import dataclass
from typing import Any

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response

PATH = "/v1/traces"


@dataclass(frozen=True, slots=True)
class _ReadRequest:
    """What MLflow's handler asks of a request, when its body has been read."""

    content: bytes

    async def body(self) -> bytes:
        return self.content


def serve_span_export(application: Any) -> None:
    """Let ``application``, the plugin's of FastAPI, serve the route before it passes the rest on to Flask."""
    application.add_api_route(PATH, _export, methods=["POST"], include_in_schema=False, response_model=None)
    routes = application.router.routes
    routes.insert(0, routes.pop())


async def _export(request: Request) -> Response:
    """Ask MLflow's handler, in a thread: it waits for the database."""
    read = _ReadRequest(await request.body())
    headers = request.headers
    await to_thread.run_sync(
        lambda: _write_spans(read, headers.get("x-mlflow-experiment-id", ""), headers.get("content-type"))
    )
    return Response(b"", media_type="application/x-protobuf")


def _write_spans(read: _ReadRequest, experiment_id: str, content_type: str | None) -> None:
    from mlflow.server.otel_api import export_traces

    # A coroutine of MLflow's that waits for the database all the time: it gets a loop in this thread.
    asyncio.run(export_traces(read, Response(), x_mlflow_experiment_id=experiment_id, content_type=content_type))
