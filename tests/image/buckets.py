"""Where pods keep artifacts: buckets of an S3 or of Google's emulator, and containers of Azurite, asked alike."""

import json
import secrets
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, Any
from urllib.parse import quote, urlencode

import urllib3
from minio import Minio as MinioClient
from minio.error import S3Error

from live.servers import S3Store
from testbed.servers import Azurite, FakeGcs
from testbed.servers.azurite import ACCOUNT
from testbed.servers.fake_gcs import service_account_key

Store = S3Store | Azurite | FakeGcs
"""What a test can keep artifacts in."""


@dataclass(frozen=True, kw_only=True)
class Bucket:
    """An empty bucket of its own on a real S3 server."""

    server: S3Store
    name: str = field(default_factory=lambda: f"mlflow-{secrets.token_hex(4)}")

    @property
    def client(self) -> MinioClient:
        login = {"access_key": self.server.root_user, "secret_key": self.server.root_password}
        scheme, _, address = self.server.url.partition("://")
        http = urllib3.PoolManager(ca_certs=str(self.server.certificate.ca)) if self.server.tls else None
        return MinioClient(address, **login, secure=scheme == "https", http_client=http)

    @property
    def uri(self) -> str:
        """Its location."""
        return f"s3://{self.name}"

    @property
    def variables(self) -> dict[str, str]:
        """How programs reach it."""
        return {"AWS_DEFAULT_REGION": "us-east-1", "MLFLOW_S3_ENDPOINT_URL": self.server.url}

    @property
    def unreachable(self) -> dict[str, str]:
        """Variables by which programs ask a port where nothing listens: that of the discard protocol."""
        return {"MLFLOW_S3_ENDPOINT_URL": "http://127.0.0.1:9"}

    @property
    def secrets(self) -> dict[str, str]:
        """Files of the Secret that opens it."""
        access, secret = self.server.root_user, self.server.root_password
        return {
            "s3/AWS_ACCESS_KEY_ID": access,
            "s3/AWS_SECRET_ACCESS_KEY": secret,
            "s3/credentials": f"[default]\naws_access_key_id = {access}\naws_secret_access_key = {secret}\n",
        }

    @property
    def mount(self) -> str:
        """Folder of that Secret."""
        return "s3"

    @property
    def wrong_secrets(self) -> dict[str, str]:
        """The same files with keys that open nothing."""
        return {"s3/credentials": "[default]\naws_access_key_id = unknown\naws_secret_access_key = s3cr3t-of-unknown\n"}

    def read(self, key: str) -> bytes | None:
        """The object ``key``; None if there is none."""
        try:
            return self.client.get_object(self.name, key).read()
        except S3Error as error:
            if error.code != "NoSuchKey":
                raise
            return None

    def objects(self, prefix: str = "") -> list[str]:
        return sorted(
            item.object_name or "" for item in self.client.list_objects(self.name, prefix=prefix, recursive=True)
        )


@dataclass(frozen=True, kw_only=True)
class CloudBucket(Bucket):
    """One of a store with another API than S3, whose ``client`` has the names of MinIO's."""

    server: Any

    def read(self, key: str) -> bytes | None:
        return self.client.read(self.name, key)

    def objects(self, prefix: str = "") -> list[str]:
        return sorted(self.client.keys(self.name, prefix))


@dataclass(frozen=True, kw_only=True)
class CloudClient:
    """What the clients of those stores send."""

    server: Any

    def _send(self, method: str, url: str, *, missing: bool = False, **options: Any) -> Any:
        authority = str(self.server.certificate.ca) if self.server.tls else None
        with urllib3.PoolManager(ca_certs=authority) as http:
            answer = http.request(method, url, **options)
        assert answer.status < 300 or (missing and answer.status == 404), (answer.status, answer.data)
        return answer


class Blobs(CloudClient):
    """A client of all containers."""

    def make_bucket(self, name: str) -> None:
        self._ask("PUT", name, restype="container")

    def put_object(self, name: str, key: str, stream: IO[bytes], length: int) -> None:
        self._ask("PUT", name, key, body=stream.read(length))

    def remove_object(self, name: str, key: str) -> None:
        self._ask("DELETE", name, key)

    def read(self, name: str, key: str) -> bytes | None:
        answer = self._ask("GET", name, key, missing=True)
        return bytes(answer.data) if answer.status == 200 else None

    def keys(self, name: str, prefix: str) -> Iterator[str]:
        answer = self._ask("GET", name, restype="container", comp="list", prefix=prefix)
        for found in ElementTree.fromstring(answer.data).iter("Name"):  # noqa: S314 - of our own server
            yield found.text or ""

    def _ask(self, method: str, *path: str, body: bytes = b"", missing: bool = False, **query: str) -> Any:
        url = f"{self.server.url}/{'/'.join(map(quote, path))}?{self.server.signature}&{urlencode(query)}"
        return self._send(method, url, missing=missing, body=body, headers={"x-ms-blob-type": "BlockBlob"})


class BlobContainer(CloudBucket):
    """An empty container of its own, reached by the account's key."""

    @property
    def client(self) -> Any:
        return Blobs(server=self.server)

    @property
    def uri(self) -> str:
        return f"wasbs://{self.name}@{ACCOUNT}.blob.core.windows.net"

    @property
    def variables(self) -> dict[str, str]:
        return {"MLFLOW_SSO_BLOB_ENDPOINT": self.server.url}

    @property
    def unreachable(self) -> dict[str, str]:
        return {"MLFLOW_SSO_BLOB_ENDPOINT": f"http://127.0.0.1:9/{ACCOUNT}"}

    @property
    def secrets(self) -> dict[str, str]:
        return {"azure/AZURE_STORAGE_ACCESS_KEY": self.server.key}

    @property
    def mount(self) -> str:
        return "azure"

    @property
    def wrong_secrets(self) -> dict[str, str]:
        return {"azure/AZURE_STORAGE_ACCESS_KEY": "d3JvbmctbXVjaC1sb25nZXItdGhhbi1hLWxpbmU="}


class GoogleObjects(CloudClient):
    """A client of all buckets of Google's emulator."""

    def make_bucket(self, name: str) -> None:
        self._ask("POST", "/storage/v1/b?project=any", body=json.dumps({"name": name}).encode())

    def put_object(self, name: str, key: str, stream: IO[bytes], length: int) -> None:
        query = urlencode({"uploadType": "media", "name": key})
        self._ask("POST", f"/upload/storage/v1/b/{name}/o?{query}", body=stream.read(length))

    def remove_object(self, name: str, key: str) -> None:
        self._ask("DELETE", f"/storage/v1/b/{name}/o/{quote(key, safe='')}")

    def read(self, name: str, key: str) -> bytes | None:
        answer = self._ask("GET", f"/storage/v1/b/{name}/o/{quote(key, safe='')}?alt=media", missing=True)
        return bytes(answer.data) if answer.status == 200 else None

    def keys(self, name: str, prefix: str) -> Iterator[str]:
        answer = self._ask("GET", f"/storage/v1/b/{name}/o?{urlencode({'prefix': prefix, 'maxResults': 100000})}")
        for found in json.loads(answer.data).get("items", []):
            yield found["name"]

    def _ask(self, method: str, path: str, *, body: bytes = b"", missing: bool = False) -> Any:
        return self._send(method, f"{self.server.url}{path}", missing=missing, body=body)


class GoogleBucket(CloudBucket):
    """An empty bucket of its own at Google's emulator, reached by the key of a service account."""

    @property
    def client(self) -> Any:
        return GoogleObjects(server=self.server)

    @property
    def uri(self) -> str:
        return f"gs://{self.name}"

    @property
    def variables(self) -> dict[str, str]:
        return {"MLFLOW_SSO_GCS_ENDPOINT": self.server.url}

    @property
    def unreachable(self) -> dict[str, str]:
        return {"MLFLOW_SSO_GCS_ENDPOINT": "http://127.0.0.1:9"}

    @property
    def secrets(self) -> dict[str, str]:
        return {"gcs/key.json": self.server.key}

    @property
    def mount(self) -> str:
        return "gcs"

    @property
    def wrong_secrets(self) -> dict[str, str]:
        # The token service knows another key by this name.
        return {"gcs/key.json": service_account_key(f"{self.server.guarded_url}/token")}


def bucket_of(server: Store) -> Bucket:
    """One with a name of its own, which has yet to be made."""
    match server:
        case Azurite():
            return BlobContainer(server=server)
        case FakeGcs():
            return GoogleBucket(server=server)
        case _:
            return Bucket(server=server)
