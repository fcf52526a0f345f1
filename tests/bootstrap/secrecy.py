"""Listens to all that the tests of the bootstrap print, log and raise, for any secret that was created meanwhile."""

import base64
import json
import logging
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, quote_plus

import pytest

from live.servers import OpenBao
from mlflow_bootstrap.errors import BootstrapError
from mlflow_bootstrap.store import entries

SHORTEST = 12
"""Characters below which a value is no secret but a word."""

NAMES = frozenset({"username", "client_id", "accesskey", "ca_crt"})
"""Fields of the store that anybody may read: logs and plans are full of them."""


class SecretDetector:
    """Remembers secrets and what was heard; a secret may become known after it was heard."""

    def __init__(self) -> None:
        self._secrets: dict[str, list[str]] = {}
        self._heard: dict[str, str] = {}

    def know(self, *values: str) -> None:
        """Listen for these, and for how they look in URLs, JSON and base64."""
        # Prefixes of one length, so that a long text is gone through once for all secrets.
        for value in values:
            for form in _forms(value) if len(value) >= SHORTEST else ():
                self._secrets.setdefault(form[:SHORTEST], []).append(form)

    def hear(self, origin: str, text: str) -> None:
        """Keep what came from ``origin``."""
        # By text, since many records are equal; the first origin is enough to find the place.
        self._heard.setdefault(text, origin)

    def findings(self) -> list[str]:
        """Where a secret was heard, with what surrounds it and without itself."""
        return [f"{origin}: {found}" for text, origin in self._heard.items() for found in self._found(text)]

    def _found(self, text: str) -> Iterator[str]:
        for start in range(len(text) - SHORTEST + 1):
            for form in self._secrets.get(text[start : start + SHORTEST], ()):
                if text.startswith(form, start):
                    end = start + len(form)
                    # A report of this must not show the secret to whoever reads the build's log.
                    yield f"{text[max(0, start - 60) : start]}***{text[end : end + 20]}"

    def __len__(self) -> int:
        """How many texts were heard."""
        return len(self._heard)


def _forms(value: str) -> frozenset[str]:
    encoded = base64.b64encode(value.encode()).decode()
    # json.dumps writes the text that a body has; its quotes are not part of the secret.
    return frozenset({value, quote(value, safe=""), quote_plus(value), json.dumps(value)[1:-1], encoded})


@contextmanager
def listening(detector: SecretDetector) -> Iterator[None]:
    """Hear every log record, every error of ours, and every output of a program that is run; know all that is made."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("new_token", "_fernet_key"):
            patch.setattr(entries, name, _known(detector, getattr(entries, name)))
        # At the source: an error that a test expects is caught, and never printed.
        patch.setattr(BootstrapError, "__init__", _heard_error(detector, BootstrapError.__init__))
        patch.setattr(subprocess.Popen, "communicate", _heard_output(detector, subprocess.Popen.communicate))
        with _logs(detector):
            yield


def _known(detector: SecretDetector, make: Callable[[], str]) -> Callable[[], str]:
    def made() -> str:
        value = make()
        detector.know(value)
        return value

    return made


def _heard_error(detector: SecretDetector, initialise: Callable[..., None]) -> Callable[..., None]:
    def heard(error: BootstrapError, text: str, *, remedy: str) -> None:
        detector.hear(type(error).__name__, f"{text}; {remedy}")
        initialise(error, text, remedy=remedy)

    return heard


def _heard_output(detector: SecretDetector, communicate: Callable[..., Any]) -> Callable[..., Any]:
    def heard(process: "subprocess.Popen[Any]", *arguments: Any, **options: Any) -> Any:
        outputs = communicate(process, *arguments, **options)
        for output in outputs:
            text = output.decode(errors="replace") if isinstance(output, bytes) else output
            detector.hear(f"output of {process.args}", text or "")
        return outputs

    return heard


class _Ear(logging.Handler):
    def __init__(self, detector: SecretDetector) -> None:
        super().__init__(logging.NOTSET)
        self._witness = detector

    def emit(self, record: logging.LogRecord) -> None:
        self._witness.hear(f"log of {record.name}", self.format(record))


@contextmanager
def _logs(detector: SecretDetector) -> Iterator[None]:
    root, ear = logging.getLogger(), _Ear(detector)
    before = root.level
    root.addHandler(ear)
    # DEBUG, since libraries write whole requests there, headers included.
    root.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        root.removeHandler(ear)
        root.setLevel(before)


def hear_report(detector: SecretDetector, report: pytest.TestReport) -> None:
    """Hear what a test printed and, where it failed, by which error."""
    for name, text in report.sections:
        detector.hear(f"{name} of {report.nodeid}", text)


def hear_error(detector: SecretDetector, node: str, error: BaseException | None) -> None:
    """Hear an error and all that led to it; assertions of the tests themselves show what they compare."""
    # pytest shows both sides of a failed comparison, and tests compare secrets.
    while error is not None and not isinstance(error, AssertionError):
        detector.hear(f"error of {node}", str(error))
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def values_of(server: OpenBao, path: str = "") -> Iterator[str]:
    """Every secret value in the KV engine, for runs in processes of their own."""
    for name in server.call("GET", f"{server.mount}/metadata/{path}?list=true")["data"]["keys"]:
        if name.endswith("/"):
            yield from values_of(server, f"{path}{name}")
        else:
            entry = _entry(server, f"{path}{name}")
            yield from (str(value) for field, value in entry.items() if field not in NAMES)


def _entry(server: OpenBao, path: str) -> Mapping[str, Any]:
    try:
        return server.call("GET", f"{server.mount}/data/{path}")["data"]["data"] or {}
    except HTTPError:
        # Its newest version was deleted by a test.
        return {}
