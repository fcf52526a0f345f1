"""What is stored is what was sent, or the sender hears of an error: artifacts by requests of every form."""

import gzip
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from raw_http import Answer, chunks, head, login, send
from serving import API, Serving, Site, make_run

pytestmark = [pytest.mark.servers, pytest.mark.either_release]

CONTENT = os.urandom(300_000)


@dataclass(frozen=True, kw_only=True)
class Upload:
    """An artifact that is not there yet, and how to send it."""

    server: Serving
    site: Site
    folder: str
    name: str

    @property
    def path(self) -> str:
        return f"/api/2.0/mlflow-artifacts/artifacts/{self.folder}/{self.name}"

    def put(self, *headers: str, body: bytes, version: str = "1.1", end: bool = False) -> Answer:
        """PUT it as anna."""
        given = head("PUT", self.path, login("anna", self.site.keys["anna"]), *headers, version=version)
        return send(self.server.port, given, body, end=end)

    @property
    def stored(self) -> bytes | None:
        """The object in the bucket; None if there is none."""
        return self.site.pod.bucket.read(f"{self.folder}/{self.name}")


@pytest.fixture(scope="module")
def folder(site: Site, server: Serving) -> str:
    """Where anna's run keeps its artifacts."""
    with server.client("anna", site.keys["anna"]) as client:
        run = client.get(f"{API}/runs/get?run_id={make_run(client)}").json()["run"]["info"]
    return f"{run['experiment_id']}/{run['run_id']}/artifacts"


@pytest.fixture
def upload(site: Site, server: Serving, folder: str) -> Iterator[Upload]:
    return Upload(server=server, site=site, folder=folder, name=f"{secrets.token_hex(4)}.bin")


LENGTH, CHUNKED = f"Content-Length: {len(CONTENT)}", "Transfer-Encoding: chunked"

WHOLE = {
    "length": ((LENGTH,), CONTENT, "1.1", CONTENT),
    "one chunk": ((CHUNKED,), chunks(CONTENT), "1.1", CONTENT),
    "chunks of one byte": ((CHUNKED,), chunks(*(CONTENT[i : i + 1] for i in range(2000))), "1.1", CONTENT[:2000]),
    "chunk extensions and trailers": (
        (CHUNKED,),
        b"5;name=value\r\nhello\r\n0\r\nX-Checksum: 1\r\n\r\n",
        "1.1",
        b"hello",
    ),
    "no chunk": ((CHUNKED,), chunks(), "1.1", b""),
    "length zero": (("Content-Length: 0",), b"", "1.1", b""),
    # What follows is the beginning of another request, and no part of the artifact.
    "a shorter length": (("Content-Length: 1000",), CONTENT, "1.1", CONTENT[:1000]),
    "the same length twice": ((LENGTH, LENGTH), CONTENT, "1.1", CONTENT),
    "Expect": ((LENGTH, "Expect: 100-continue"), CONTENT, "1.1", CONTENT),
    "Expect with chunks": ((CHUNKED, "Expect: 100-continue"), chunks(CONTENT), "1.1", CONTENT),
    "HTTP/1.0": ((LENGTH,), CONTENT, "1.0", CONTENT),
    # The one coding that changes nothing.
    "identity": ((LENGTH, "Content-Encoding: identity"), CONTENT, "1.1", CONTENT),
    # Werkzeug reads bodies of this type as forms.
    "a form's type": ((LENGTH, "Content-Type: application/x-www-form-urlencoded"), CONTENT, "1.1", CONTENT),
    # Content-Type says what the bytes are; only Content-Encoding would have them unpacked.
    "gzip as content": (
        ("Content-Type: application/gzip", f"Content-Length: {len(gzip.compress(CONTENT, mtime=0))}"),
        gzip.compress(CONTENT, mtime=0),
        "1.1",
        gzip.compress(CONTENT, mtime=0),
    ),
}


@pytest.mark.parametrize("form", WHOLE)
def test_upload_is_stored_byte_by_byte(upload: Upload, form: str) -> None:
    headers, body, version, stored = WHOLE[form]

    answer = upload.put(*headers, body=body, version=version)

    assert answer.status == 200, answer
    assert upload.stored == stored


REFUSED = {
    # With both, a proxy and the server can differ in where a request ends (RFC 9112, section 6.3).
    "length and chunks": ((LENGTH, CHUNKED), chunks(CONTENT), "1.1", {400}),
    "two lengths": ((LENGTH, "Content-Length: 5"), CONTENT, "1.1", {400}),
    "two lengths in one": (("Content-Length: 5, 300000",), CONTENT, "1.1", {400}),
    "no length": ((), CONTENT, "1.1", {411}),
    "HTTP/1.0 without length": (("Connection: keep-alive",), CONTENT, "1.0", {411}),
    # HTTP/1.0 knows no chunks.
    "HTTP/1.0 in chunks": ((CHUNKED,), chunks(CONTENT), "1.0", {400}),
    # Stored as a whole, a part would replace the artifact (RFC 9110, section 14.5).
    "a part": ((LENGTH, "Content-Range: bytes 0-299999/600000"), CONTENT, "1.1", {400}),
    "gzip": ((LENGTH, "Content-Encoding: gzip"), CONTENT, "1.1", {415}),
    "deflate": ((LENGTH, "Content-Encoding: deflate"), CONTENT, "1.1", {415}),
    "brotli in chunks": ((CHUNKED, "Content-Encoding: br"), chunks(CONTENT), "1.1", {415}),
    "gzip twice": ((LENGTH, "Content-Encoding: gzip, gzip"), CONTENT, "1.1", {415}),
    "gzip and identity": ((LENGTH, "Content-Encoding: gzip", "Content-Encoding: identity"), CONTENT, "1.1", {400}),
    "gzip in chunks": ((CHUNKED, "Content-Encoding: gzip"), chunks(CONTENT), "1.1", {415}),
    "an unknown coding": (("Transfer-Encoding: gzip, chunked",), chunks(CONTENT), "1.1", {400, 501}),
    "another expectation": ((LENGTH, "Expect: 200-ok"), CONTENT, "1.1", {417}),
    "a negative length": (("Content-Length: -1",), CONTENT, "1.1", {400}),
    # 0 if the connection is closed without an answer.
    "a chunk that is no number": ((CHUNKED,), b"xyz\r\nhello\r\n0\r\n\r\n", "1.1", {0, 400}),
}


@pytest.mark.parametrize("form", REFUSED)
def test_upload_of_unclear_form_is_refused(upload: Upload, form: str) -> None:
    headers, body, version, statuses = REFUSED[form]

    answer = upload.put(*headers, body=body, version=version)

    assert answer.status in statuses, answer
    assert upload.stored is None


CUT = {
    "length": ((LENGTH,), CONTENT[:200_000], "1.1"),
    "length, before its first byte": ((LENGTH,), b"", "1.1"),
    "chunks": ((CHUNKED,), chunks(CONTENT).removesuffix(b"0\r\n\r\n"), "1.1"),
    "within a chunk": ((CHUNKED,), b"%x\r\n" % len(CONTENT) + CONTENT[:-1], "1.1"),
    "before the last line": ((CHUNKED,), chunks(CONTENT).removesuffix(b"\r\n"), "1.1"),
    "HTTP/1.0": ((LENGTH,), CONTENT[:-1], "1.0"),
}


@pytest.mark.parametrize("form", CUT)
def test_upload_that_ends_early_stores_nothing(upload: Upload, form: str) -> None:
    headers, body, version = CUT[form]

    answer = upload.put(*headers, body=body, version=version, end=True)

    assert answer.status in (0, 400), answer
    assert upload.stored is None


def test_connection_serves_on_after_chunks(upload: Upload) -> None:
    credentials = login("anna", upload.site.keys["anna"])
    first = head("PUT", upload.path, credentials, CHUNKED) + chunks(CONTENT)
    second = head("GET", upload.path, credentials, "Connection: close")

    with upload.server.client("anna", upload.site.keys["anna"]) as client:
        sent = client.put(upload.path, content=iter([CONTENT[:7], CONTENT[7:]]))
        received = client.get(upload.path)
    pipelined = send(upload.server.port, first + second)

    assert (sent.status_code, received.content) == (200, CONTENT)
    assert pipelined.status == 200
