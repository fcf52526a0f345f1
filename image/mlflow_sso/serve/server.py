"""The server's process: binds both ports, runs the workers, and ends within its grace period without losing a request.

Workers are children of it, also a single one, so that it can be replaced when a mounted Secret changes. This process,
which imports nothing of MLflow, stays small.
"""

import ctypes
import logging
import os
import signal
import socket
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

from mlflow_sso.errors import ProgramError, TerminalError
from mlflow_sso.imports import serving_routes
from mlflow_sso.releases import installed
from mlflow_sso.secrets_root import SecretsRoot
from mlflow_sso.serve import gate
from mlflow_sso.serve.health import heartbeat_folder, prepare
from mlflow_sso.serve.listener import Listener, available_host, listening_socket
from mlflow_sso.serve.rotation import Outcomes, Rotation, share_of_spread
from mlflow_sso.serve.workers import DRAIN, Workers

APPLICATION = "mlflow_sso.serve.application:app"
WORKER = (sys.executable, "-P", "-m", "mlflow_sso.serve.server")
"""What to execute; -P, because the working directory is no place to import from."""


def run(listener: Listener, root: SecretsRoot, *, wait_for_databases: Callable[[], object]) -> NoReturn:
    """Serve until SIGTERM or SIGINT, then leave with 0, or with the code of a worker that could not start.

    The workers import MLflow while ``wait_for_databases`` looks at the databases. Raises ``TerminalError`` if a port is
    taken, and what ``wait_for_databases`` raises.
    """
    outcomes = Outcomes()
    delay = share_of_spread(os.environ.get("HOSTNAME") or socket.gethostname())
    rotation = Rotation(installed(), root, dict(os.environ), outcomes=outcomes, delay=delay)
    variables = rotation.variables()
    heartbeats = heartbeat_folder()
    prepare(heartbeats)
    host = available_host(listener.host)
    with _taken_explained(host, listener.port):
        bound = bind_public_port(host, listener.port)
    workers = Workers(
        count=listener.workers,
        command=[*WORKER, "--grace-seconds", str(listener.grace_seconds)],
        descriptor=bound.fileno(),
        variables=variables,
        heartbeats=heartbeats,
        changes=rotation,
    )
    with workers.started() as databases:
        # Where prometheus_client looks for what the workers have counted.
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = variables["PROMETHEUS_MULTIPROC_DIR"]
        from mlflow_sso.serve.metrics import serve_metrics

        with _taken_explained(host, listener.metrics_port):
            serve_metrics(host=host, port=listener.metrics_port, heartbeats=heartbeats, collectors=[outcomes])
        wait_for_databases()
        databases.open()
    leave(workers.run())


@contextmanager
def _taken_explained(host: str, port: int) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise TerminalError(
            f"cannot listen on {f'[{host}]' if ':' in host else host}:{port}: {(error.strerror or str(error)).lower()}",
            remedy="choose another address or port, or end what listens there",
        ) from None


def bind_public_port(host: str, port: int) -> socket.socket:
    """The public port, bound and not yet listening, so that no client connects before the stores are open.

    Raises ``OSError``.
    """
    bound = listening_socket(host)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Accepted connections inherit it. Without, Nagle and delayed acknowledgement hold each answer of a kept-alive
    # connection for 40 ms: asyncio sets it only on sockets that it has created itself.
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    bound.bind((host, port))
    bound.set_inheritable(True)
    return bound


def work(bound: socket.socket, *, grace_seconds: int) -> NoReturn:
    """Run a worker: open the stores, then answer on ``bound``; raises ``TerminalError`` if a store does not open."""
    end_with_parent()
    with serving_routes(os.environ):
        from mlflow_sso.serve.uvicorn_server import load_server

        server = load_server(APPLICATION, grace_seconds=grace_seconds, variables=os.environ)
    signal.signal(DRAIN, lambda *_: server.drain())
    server.run([bound])
    leave(0)


def end_with_parent() -> None:
    """Have the kernel send SIGTERM once the process that started this one is gone (prctl(2), PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def leave(code: int) -> NoReturn:
    """End at once: a thread that still waits for the object store must not outlast the grace period."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def main() -> NoReturn:
    """Entry of each worker."""
    # uvicorn has a handler of its own once it runs, and raises the signal again when it is done.
    signal.signal(signal.SIGTERM, lambda *_: leave(0))
    parser = ArgumentParser(prog="mlflow-sso serve")
    parser.add_argument("--grace-seconds", type=int, required=True, help="time for requests in flight after SIGTERM")
    parser.add_argument("--socket", type=int, required=True, help="the listening socket")
    parser.add_argument("--gate", type=int, help="where to wait before the stores are opened")
    arguments = parser.parse_args()
    gate.shut(arguments.gate)
    try:
        work(socket.socket(fileno=arguments.socket), grace_seconds=arguments.grace_seconds)
    except ProgramError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
