"""The S3 client: a listing spends its time on the objects, not on their dates."""

import json
import subprocess

import pytest
from pod import Venv

pytestmark = [pytest.mark.servers, pytest.mark.either_release]

LIST = """
import io, json, os
from datetime import UTC, datetime
import botocore.awsrequest
from botocore import utils
os.environ.update(AWS_ACCESS_KEY_ID="x", AWS_SECRET_ACCESS_KEY="x", AWS_EC2_METADATA_DISABLED="true")
from mlflow_sso.object_store import Folder
from mlflow_sso.s3_store import S3Store, _timestamp

store, parsed = S3Store(endpoint="http://127.0.0.1:1", region="us-east-1"), []
inner = utils._parse_timestamp_with_tzinfo
utils._parse_timestamp_with_tzinfo = lambda *given: parsed.append(given[0]) or inner(*given)
contents = "".join(
    f"<Contents><Key>a/{n}</Key><LastModified>2026-11-28T08:00:00.123Z</LastModified><Size>7</Size></Contents>"
    for n in range(1000)
)
xml = f"<ListBucketResult><IsTruncated>false</IsTruncated>{contents}</ListBucketResult>".encode()

class Raw(io.BytesIO):
    def stream(self, **_):
        yield self.read()

def answer(**_):
    return botocore.awsrequest.AWSResponse("http://127.0.0.1:1", 200, {}, Raw(xml))

store._client.meta.events.register("before-send.s3.ListObjectsV2", answer)
page = store.page(Folder("bucket", "a/"))
counted = len(parsed)
texts = ("2026-11-28T08:00:00Z", "Sat, 28 Nov 2026 08:00:00 GMT", "1795852800", 1795852800, "2026-11-28T09:00:00+01:00")
wanted = datetime(2026, 11, 28, 8, tzinfo=UTC)
print(json.dumps([len(page.objects), page.is_last, counted, [_timestamp(text) == wanted for text in texts]]))
"""


def test_listing_reads_dates_at_once(venv: Venv) -> None:
    done = subprocess.run([venv.python, "-c", LIST], capture_output=True, text=True, timeout=120, check=False)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [1000, True, 0, [True] * 5]
