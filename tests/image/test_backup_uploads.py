"""What killed dumps have left half sent: a later run aborts it, and nothing of others."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from backups import make_backup_pod
from fault_proxy import Fault, FaultProxy, answers
from pod import Pod

pytestmark = [pytest.mark.servers, pytest.mark.either_release]

LISTED = """<?xml version="1.0" encoding="UTF-8"?>
<ListMultipartUploadsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><IsTruncated>false</IsTruncated>
{uploads}</ListMultipartUploadsResult>"""
UPLOAD = "<Upload><Key>{key}</Key><UploadId>{id}</UploadId><Initiated>{begun}</Initiated></Upload>"
DENIED = "<Error><Code>AccessDenied</Code><Message>Access Denied.</Message></Error>"


EVER = 1_000_000
"""Times: every request from now on."""


@contextmanager
def listing(pod: Pod, fault: Fault) -> Iterator[FaultProxy]:
    """An S3 before the pod's, which like MinIO lists no uploads by a folder: here they are listed as ``fault`` does."""
    bucket = pod.settings["MLFLOW_SSO_BACKUP_TARGET"].removeprefix("s3://").partition("/")[0]
    with FaultProxy(pod.bucket.server.url) as proxy:
        proxy.spoil(fault, when=f"GET /{bucket}?uploads", times=EVER)
        yield proxy


def listed(unfinished: dict[str, int]) -> Fault:
    """Unfinished uploads by key, each with the days since its begin."""
    now = datetime.now(UTC)
    begun = {key: now - timedelta(days=days) for key, days in unfinished.items()}
    uploads = (
        UPLOAD.format(key=key, id=f"id-of-{key}", begun=f"{at:%Y-%m-%dT%H:%M:%S}.000Z") for key, at in begun.items()
    )
    return answers(200, LISTED.format(uploads="".join(uploads)), kind="application/xml")


def aborted(proxy: FaultProxy) -> list[str]:
    """Ids of the uploads that were aborted."""
    queries = [urlsplit(line.split(" ")[1]).query for line in proxy.requests if line.startswith("DELETE ")]
    return [name for query in queries for name in parse_qs(query).get("uploadId", [])]


def test_dump_aborts_uploads_of_killed_ones(migrated_pod: Pod) -> None:
    old = "mlflow/20200101T000000Z-0000/mlflow/metrics.copy.zst"
    others = {
        "mlflow/29990101T000000Z-0000/mlflow/metrics.copy.zst": 0,
        "mlflow/notes/large": 30,
        "mlflow-other/20200101T000000Z-0000/mlflow/metrics.copy.zst": 30,
    }
    pod = make_backup_pod(migrated_pod)

    with listing(pod, listed({old: 2, **others})) as proxy:
        before = pod.run("dump", "--before-migration", MLFLOW_SSO_BACKUP_S3_ENDPOINT_URL=proxy.url)
        first = aborted(proxy)
        # MinIO has no such upload.
        proxy.spoil(answers(204, ""), when="DELETE ", times=EVER)
        done = pod.run("dump", MLFLOW_SSO_BACKUP_S3_ENDPOINT_URL=proxy.url)

    assert (before.code, done.code, first) == (0, 0, []), done.stderr
    assert aborted(proxy) == [f"id-of-{old}"]
    assert done.results[-1] == {"action": "aborted", "uploads": 1}


def test_dump_without_rights_to_abort_warns(migrated_pod: Pod) -> None:
    pod = make_backup_pod(migrated_pod)

    with listing(pod, answers(403, DENIED, kind="application/xml")) as proxy:
        done = pod.run("dump", MLFLOW_SSO_BACKUP_S3_ENDPOINT_URL=proxy.url)

    assert done.code == 0, done.stderr
    assert done.results[-1]["action"] == "dumped"
    warnings = [line["message"] for line in done.progress if line["level"] == "warning"]
    assert len(warnings) == 1
    assert "s3:AbortMultipartUpload" in warnings[0]
