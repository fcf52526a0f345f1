"""What killed dumps have left half sent: a later run aborts it, and nothing of others."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from backups import make_backup_pod
from pod import Pod

pytestmark = [pytest.mark.servers, pytest.mark.either_release]

LISTED = """<?xml version="1.0" encoding="UTF-8"?>
<ListMultipartUploadsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><IsTruncated>false</IsTruncated>
{uploads}</ListMultipartUploadsResult>"""
UPLOAD = "<Upload><Key>{key}</Key><UploadId>{id}</UploadId><Initiated>{begun}</Initiated></Upload>"
DENIED = "<Error><Code>AccessDenied</Code><Message>Access Denied.</Message></Error>"


@dataclass
class Uploads:
    """Unfinished ones by key, each with the days since its begin; None if the keys may not list them."""

    unfinished: dict[str, int] | None
    aborted: list[str] = field(default_factory=list)

    def listing(self) -> tuple[int, str]:
        if self.unfinished is None:
            return 403, DENIED
        now = datetime.now(UTC)
        begun = {key: now - timedelta(days=days) for key, days in self.unfinished.items()}
        parts = (
            UPLOAD.format(key=key, id=f"id-of-{key}", begun=f"{at:%Y-%m-%dT%H:%M:%S}.000Z") for key, at in begun.items()
        )
        return 200, LISTED.format(uploads="".join(parts))


@contextmanager
def listing_uploads(url: str, uploads: Uploads) -> Iterator[str]:
    """An S3 before that at ``url``, which like MinIO lists no uploads by a folder: here they are listed."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query, keep_blank_values=True)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if self.command == "GET" and "uploads" in query:
                status, text = uploads.listing()
                self.answer(status, text.encode())
            elif self.command == "DELETE" and "uploadId" in query:
                uploads.aborted += query["uploadId"]
                self.answer(204, b"")
            else:
                passed = HTTPConnection(urlsplit(url).netloc)
                passed.request(self.command, self.path, body, dict(self.headers))
                answer = passed.getresponse()
                self.answer(answer.status, answer.read(), dict(answer.headers))

        do_PUT = do_DELETE = do_POST = do_HEAD = do_GET  # noqa: N815

        def answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
            self.send_response_only(status)
            for name, value in (headers or {}).items():
                if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_dump_aborts_uploads_of_killed_ones(migrated_pod: Pod) -> None:
    old = "mlflow/20200101T000000Z-0000/mlflow/metrics.copy.zst"
    others = {
        "mlflow/29990101T000000Z-0000/mlflow/metrics.copy.zst": 0,
        "mlflow/notes/large": 30,
        "mlflow-other/20200101T000000Z-0000/mlflow/metrics.copy.zst": 30,
    }
    pod, uploads = make_backup_pod(migrated_pod), Uploads({old: 2, **others})

    with listing_uploads(pod.bucket.server.url, uploads) as url:
        before = pod.run("dump", "--before-migration", MLFLOW_SSO_BACKUP_S3_ENDPOINT_URL=url)
        first = list(uploads.aborted)
        done = pod.run("dump", MLFLOW_SSO_BACKUP_S3_ENDPOINT_URL=url)

    assert (before.code, done.code, first) == (0, 0, []), done.stderr
    assert uploads.aborted == [f"id-of-{old}"]
    assert done.results[-1] == {"action": "aborted", "uploads": 1}


def test_dump_without_rights_to_abort_warns(migrated_pod: Pod) -> None:
    pod = make_backup_pod(migrated_pod)

    with listing_uploads(pod.bucket.server.url, Uploads(None)) as url:
        done = pod.run("dump", MLFLOW_SSO_BACKUP_S3_ENDPOINT_URL=url)

    assert done.code == 0, done.stderr
    assert done.results[-1]["action"] == "dumped"
    warnings = [line["message"] for line in done.progress if line["level"] == "warning"]
    assert len(warnings) == 1
    assert "s3:AbortMultipartUpload" in warnings[0]
