"""Kubeconfigs that cannot be read, and addresses in them where something else than Kubernetes answers."""

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from doctor_lines import SETTINGS, look

from mlflow_bootstrap.doctor.cluster_reader import ClusterReader
from mlflow_bootstrap.doctor.errors import CannotReadError
from mlflow_bootstrap.doctor.line import State
from mlflow_bootstrap.errors import UnreachableError, UsageError
from mlflow_bootstrap.store.cluster import Cluster

UNREADABLE = {
    "no YAML": b"a: [b\n  c: }",
    "no text": b"\x00\xff\xfe",
    "a word": b"hello",
    "a list": b"[1, 2]",
    "lists for names": b"apiVersion: v1\nkind: Config\ncurrent-context: [x]\ncontexts: x\nclusters: 1\nusers: 2\n",
    "empty": b"",
}
LOGIN = b"<html>please log in</html>"


def kubeconfig(folder: Path, server: str, user: str = "token: hush-hush") -> Path:
    """A kubeconfig of one cluster."""
    file = folder / "config"
    file.write_text(
        "{apiVersion: v1, kind: Config, current-context: x, contexts: [{name: x, context: {cluster: c, user: u}}],"
        f' clusters: [{{name: c, cluster: {{server: "{server}"}}}}], users: [{{name: u, user: {{{user}}}}}]}}'
    )
    return file


@contextmanager
def answering(body: bytes, *, kind: str = "text/html", length: int | None = None) -> Iterator[str]:
    """An address that gives ``body`` for every path, and breaks off before a greater ``length``."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(length or len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_POST = do_PUT = do_HEAD = do_GET  # noqa: N815  (names that the base class looks for)

        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("content", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_unreadable_kubeconfig_is_one_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    (tmp_path / "config").write_bytes(content)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))

    with pytest.raises(UsageError, match="there is no usable kubeconfig"):
        Cluster(SETTINGS).read("mlflow", "any")
    line = look("api_server")["api_server"]

    assert (line.state, "there is no usable kubeconfig" in line.seen) == (State.UNKNOWN, True), line


def test_kubeconfig_without_its_files_is_one_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = kubeconfig(tmp_path, "https://127.0.0.1:1", "tokenFile: /nonexistent/token")
    for path in (file, tmp_path):
        monkeypatch.setenv("KUBECONFIG", str(path))

        with pytest.raises(UsageError, match="there is no usable kubeconfig"):
            Cluster(SETTINGS).read("mlflow", "any")


OTHERS = {
    "a login page": (LOGIN, "text/html", None),
    "another object": (b'{"hush": "hush-hush"}', "application/json", None),
    "a list": (b"[1]", "application/json", None),
    "a number": (b"7", "application/json", None),
    "half an answer": (b'{"items": [', "application/json", 1000),
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS.keys())
def test_answer_of_something_else_is_one_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: tuple[bytes, str, int | None]
) -> None:
    body, kind, length = other
    with answering(body, kind=kind, length=length) as url:
        monkeypatch.setenv("KUBECONFIG", str(kubeconfig(tmp_path, url)))

        with pytest.raises(UnreachableError) as secret:
            Cluster(SETTINGS).read("mlflow", "any")
        with pytest.raises(CannotReadError) as listed:
            ClusterReader(SETTINGS).items("/api/v1/pods")
        lines = look()

    assert url in str(secret.value)
    assert url in str(listed.value)
    assert "hush" not in f"{secret.value} {listed.value}"
    assert {line.state for line in lines.values()} == {State.UNKNOWN}
    assert not [line for line in lines.values() if "not expected" in line.seen]


def test_login_program_runs_once_for_all_checks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = tmp_path / "runs"
    login = {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "hush"}}
    program = tmp_path / "login"
    program.write_text(f"#!/bin/sh\necho run >> {runs}\nsleep 0.5\necho '{json.dumps(login)}'\n")
    program.chmod(0o755)
    plugin = f"exec: {{apiVersion: client.authentication.k8s.io/v1, command: {program}, interactiveMode: Never}}"

    with answering(b'{"kind": "List", "items": []}', kind="application/json") as url:
        monkeypatch.setenv("KUBECONFIG", str(kubeconfig(tmp_path, url, plugin)))
        reader = ClusterReader(SETTINGS)
        with ThreadPoolExecutor(8) as threads:
            asked: list[Callable[[], object]] = [lambda: reader.items("/api/v1/pods")] * 8
            answers = [running.result() for running in [threads.submit(ask) for ask in asked]]

    assert answers == [[]] * 8
    assert runs.read_text().splitlines() == ["run"]
