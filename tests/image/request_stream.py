"""Requests one after the other, on connections that are kept alive and on new ones, each of which must be answered."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
from depth import IS_CHANGE
from serving import API, Serving


@dataclass
class Stream:
    """What became of the requests so far."""

    sent: int = 0
    failures: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, failure: str) -> None:
        """Count a request; ``failure`` is empty if it was answered well."""
        with self._lock:
            self.sent += 1
            if failure:
                self.failures.append(failure)


@contextmanager
def requests_stream(server: Serving, login: tuple[str, str], run: str) -> Iterator[Stream]:
    """Log a metric again and again by four clients: three keep their connection, with pauses of different lengths."""
    stream, ended = Stream(), threading.Event()

    def send(pause: float, keep: bool) -> None:
        step = 0
        with server.client(*login) as client:
            while not ended.wait(pause):
                step += 1
                body = {"run_id": run, "key": "loss", "value": 0.5, "timestamp": 1, "step": step}
                stream.note(_sent(client, body, keep))

    # Of about the length of a request, so that what goes on beside them gets a processor; at night two never pause.
    none, short = (0.03, 0.04) if IS_CHANGE else (0.0, 0.01)
    pauses = (none, True), (short, True), (2.5, True), (none, False)
    threads = [threading.Thread(target=send, args=one) for one in pauses]
    for thread in threads:
        thread.start()
    try:
        yield stream
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def _sent(client: httpx.Client, body: dict[str, object], keep: bool) -> str:
    """What went wrong; empty if it was answered well."""
    try:
        answer = client.post(f"{API}/runs/log-metric", json=body, headers={} if keep else {"Connection": "close"})
    except httpx.TransportError as error:
        return repr(error)
    return "" if answer.status_code == 200 else f"{answer.status_code} {answer.text}"
