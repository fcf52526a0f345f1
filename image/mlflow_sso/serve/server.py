"""The server's process: binds both ports, runs the workers, and ends within its grace period without losing a request.

One worker is this very process. Several are children of it, watched by uvicorn, and this process stays small.
"""

import logging
import os
import signal
import socket
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, NoReturn

from mlflow_sso.errors import ProgramError, TerminalError
from mlflow_sso.serve.listener import Listener, add_listener_arguments

if TYPE_CHECKING:
    from uvicorn import Config

APPLICATION = "mlflow_sso.serve.application:app"
WORKER_SILENCE_SECONDS = 60
"""A worker that imports for the first time on a loaded node is silent for long; uvicorn's default is 5."""


def run(listener: Listener) -> NoReturn:
    """Serve until SIGTERM or SIGINT, then leave with 0.

    Raises ``TerminalError`` where a port is taken.
    """
    from uvicorn import Config

    from mlflow_sso.serve.logs import log_configuration
    from mlflow_sso.serve.metrics import serve_metrics

    config = Config(
        APPLICATION,
        host=listener.host,
        port=listener.port,
        workers=listener.workers,
        timeout_graceful_shutdown=listener.grace_seconds,
        timeout_worker_healthcheck=WORKER_SILENCE_SECONDS,
        log_config=log_configuration(os.environ),
    )
    with _taken_explained(listener.host, listener.metrics_port):
        serve_metrics(host=listener.host, port=listener.metrics_port)
    with _taken_explained(listener.host, listener.port):
        sockets = [bind_public_port(listener.host, listener.port)]
    if listener.workers == 1:
        _work(config, sockets)
    _supervise(config, sockets)


@contextmanager
def _taken_explained(host: str, port: int) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise TerminalError(
            f"cannot listen on {host}:{port}: {(error.strerror or str(error)).lower()}",
            remedy="choose another address or port, or end what listens there",
        ) from None


def bind_public_port(host: str, port: int) -> socket.socket:
    """The public port, bound and not yet listening, so that nobody connects before the stores are open.

    Raises ``OSError``.
    """
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Accepted connections inherit it. Without, Nagle and delayed acknowledgement hold each answer of a kept-alive
    # connection for 40 ms: asyncio sets it only on sockets that it has made itself.
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    bound.bind((host, port))
    bound.set_inheritable(True)
    return bound


def _work(config: "Config", sockets: list[socket.socket]) -> NoReturn:
    from uvicorn import Server

    Server(config).run(sockets)
    _leave()


def _supervise(config: "Config", sockets: list[socket.socket]) -> NoReturn:
    from uvicorn.supervisors import Multiprocess

    Multiprocess(config, target=partial(_work, config), sockets=sockets).run()
    _leave()


def _leave() -> NoReturn:
    """End at once: a thread that still waits for the object store must not outlast the grace period."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def main() -> NoReturn:
    """Entry of the process that ``mlflow-sso serve`` becomes."""
    # As first process of a container we get no signal without a handler; uvicorn raises its own again when it is done.
    signal.signal(signal.SIGTERM, lambda *_: _leave())
    parser = ArgumentParser(prog="mlflow-sso serve")
    add_listener_arguments(parser)
    try:
        run(Listener.of(parser.parse_args()))
    except ProgramError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
