"""Where the server listens: the flags that ``mlflow-sso serve`` takes and hands on to the process it becomes."""

import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from dataclasses import asdict, dataclass
from typing import Any, Self

from mlflow_sso.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """Where the server listens, with how many workers, and how long it may take to end."""

    host: str
    port: int
    metrics_port: int
    workers: int
    grace_seconds: int

    @classmethod
    def of(cls, arguments: Namespace) -> Self:
        """Raises ``UsageError`` where both ports are one."""
        if arguments.port == arguments.metrics_port:
            raise UsageError("--port and --metrics-port are the same", remedy="metrics have a port of their own")
        return cls(**{name: getattr(arguments, name) for name in cls.__slots__})

    @property
    def command(self) -> list[str]:
        """What to execute; -P, because the working directory is no place to import from."""
        flags = [part for name, value in asdict(self).items() for part in (f"--{name.replace('_', '-')}", str(value))]
        return [sys.executable, "-P", "-m", "mlflow_sso.serve.server", *flags]


def add_listener_arguments(parser: ArgumentParser) -> None:
    """The flags of ``Listener``."""
    parser.add_argument("--host", default="0.0.0.0", help="address to listen on (default: %(default)s)")  # noqa: S104
    parser.add_argument("--port", type=_within(1, 65535), default=5000, help="public port (default: %(default)s)")
    parser.add_argument(
        "--metrics-port", type=_within(1, 65535), default=9090, help="port of /metrics alone (default: %(default)s)"
    )
    parser.add_argument("--workers", type=_within(1, 64), default=1, help="processes (default: %(default)s)")
    parser.add_argument(
        "--grace-seconds",
        type=_within(1, 3600),
        default=25,
        help="time for requests in flight after SIGTERM, below the pod's grace period (default: %(default)s)",
    )


def _within(low: int, high: int) -> Any:
    def number(text: str) -> int:
        if not text.isdecimal() or not low <= int(text) <= high:
            raise ArgumentTypeError(f"{text!r} is not a number from {low} to {high}")
        return int(text)

    return number
