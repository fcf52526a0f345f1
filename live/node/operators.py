"""Stand-ins for External Secrets and CloudNativePG, the only two parts of the node that are not the real ones.

Neither can be built from a package registry. These do for our objects what the real ones do: the Secret that an
ExternalSecret describes, the role and the databases of DatabaseRole and Database, and the status that Flux reads.
"""

import base64
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
import yaml
from psycopg import sql

from live.node.api import Api
from live.node.kubectl import Kubectl
from live.node.node import Node, NodeError
from live.servers import Postgres

_PASSING = (NodeError, OSError, psycopg.Error, json.JSONDecodeError)
"""A namespace or a Secret that is not there yet is there the next time, and so is a slow server."""

Fetch = Callable[[str, str], str | None]
_FIELD = re.compile(r"\{\{ \.(\w+) \}\}")
_LISTS = {
    "ExternalSecret": "/apis/external-secrets.io/v1/externalsecrets",
    "DatabaseRole": "/apis/postgresql.cnpg.io/v1/databaseroles",
    "Database": "/apis/postgresql.cnpg.io/v1/databases",
}


class Operators:
    """Reconciles every half second in a thread; also a context manager.

    ``fetch`` gives a property of a key of the secret store. With ``applied`` off, CloudNativePG refuses.
    """

    def __init__(self, node: Node, *, fetch: Fetch, postgres: Postgres) -> None:
        self._node, self._fetch, self._postgres = node, fetch, postgres
        self._api = Api(node)
        self._stopped = threading.Event()
        self._renewed: set[tuple[str, str]] = set()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.applied = True

    def __enter__(self) -> "Operators":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(0.5):
            with suppress(*_PASSING):
                for item in list(self._objects()):
                    # Each by itself: another system's object may never be ready.
                    with suppress(*_PASSING):
                        self._reconcile(item)

    def _objects(self) -> Iterator[dict[str, Any]]:
        for kind, path in _LISTS.items():
            # The items of a list do not say what they are.
            yield from ({"kind": kind, **item} for item in self._api.get(path)["items"])

    def _reconcile(self, item: Mapping[str, Any]) -> None:
        if item.get("status", {}).get("observedGeneration") == item["metadata"]["generation"] and self._current(item):
            return
        if item["kind"] == "ExternalSecret":
            self._write_secret(item)
        elif self.applied:
            with psycopg.connect(self._postgres.superuser_dsn, autocommit=True) as connection:
                (_apply_role if item["kind"] == "DatabaseRole" else _apply_database)(connection, item, self._secret)
            self._renewed.discard(_password_secret(item))
        self._report(item)

    def _current(self, item: Mapping[str, Any]) -> bool:
        if item["kind"] == "ExternalSecret":
            return bool(item["status"]["syncedResourceVersion"] == synchronized_version(item))
        return bool(item["status"].get("applied")) == self.applied and _password_secret(item) not in self._renewed

    def _write_secret(self, item: Mapping[str, Any]) -> None:
        target = item["spec"]["target"]
        fields = {
            entry["secretKey"]: self._fetch(entry["remoteRef"]["key"], entry["remoteRef"]["property"])
            for entry in item["spec"]["data"]
        }
        if None in fields.values():
            raise NodeError("the store has no such value yet")
        data = {key: _FIELD.sub(lambda m: str(fields[m[1]]), text) for key, text in target["template"]["data"].items()}
        metadata = {
            "name": target["name"],
            "namespace": item["metadata"]["namespace"],
            "labels": target["template"].get("metadata", {}).get("labels", {}),
        }
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": target["template"]["type"]}
        encoded = {key: base64.b64encode(text.encode()).decode() for key, text in data.items()}
        # Of ``stringData`` a server-side apply would keep what is no longer in it.
        document = json.dumps({**secret, "data": encoded})
        self._node.kubectl(
            "apply", "--server-side", "--field-manager=external-secrets", "--filename", "-", stdin=document
        )
        # CloudNativePG watches the Secrets that its roles name.
        self._renewed.add((metadata["namespace"], metadata["name"]))

    def _secret(self, namespace: str, name: str) -> Mapping[str, str]:
        data = self._node.get("secret", name, "--namespace", namespace)["data"]
        return {key: base64.b64decode(value).decode() for key, value in data.items()}

    def _report(self, item: Mapping[str, Any]) -> None:
        status: dict[str, Any] = {"observedGeneration": item["metadata"]["generation"]}
        if item["kind"] == "ExternalSecret":
            status["syncedResourceVersion"] = synchronized_version(item)
            status["conditions"] = [{"type": "Ready", "status": "True", "reason": "SecretSynced", "message": "synced"}]
        else:
            status["applied"] = self.applied
        metadata = item["metadata"]
        where = [item["kind"], metadata["name"], "--namespace", metadata["namespace"]]
        self._node.kubectl(
            "patch", *where, "--subresource=status", "--type=merge", "--patch", json.dumps({"status": status})
        )


def synchronized_version(item: Mapping[str, Any]) -> str:
    """What the status of an ExternalSecret says once its Secret is current.

    It changes with the specification, and with the annotation by which an operator asks for fresh values.
    """
    metadata = item["metadata"]
    return f"{metadata['generation']}-{metadata.get('annotations', {}).get('force-sync', '')}"


def _password_secret(item: Mapping[str, Any]) -> tuple[str, str]:
    """Namespace and name of the Secret with a role's password; a database has none."""
    return item["metadata"]["namespace"], item["spec"].get("passwordSecret", {}).get("name", "")


SecretOf = Callable[[str, str], Mapping[str, str]]


def _apply_role(connection: "psycopg.Connection[Any]", item: Mapping[str, Any], secret: SecretOf) -> None:
    spec = item["spec"]
    password = secret(item["metadata"]["namespace"], spec["passwordSecret"]["name"])["password"]
    role = sql.Identifier(spec["name"])
    if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [spec["name"]]).fetchone():
        connection.execute(sql.SQL("CREATE ROLE {}").format(role))
    connection.execute(sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(role, sql.Literal(password)))


def _apply_database(connection: "psycopg.Connection[Any]", item: Mapping[str, Any], _: SecretOf) -> None:
    spec = item["spec"]
    if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [spec["name"]]).fetchone():
        names = sql.Identifier(spec["name"]), sql.Identifier(spec["owner"])
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(*names))


def install_definitions(node: Kubectl, folder: Path) -> None:
    """Apply our CustomResourceDefinitions of ``folder``, with the status that the operators write."""
    databases = ("postgresql.cnpg.io", "barmancloud.cnpg.io")
    for file in ("external-secrets.io", *databases, "monitoring.coreos.com"):
        documents = list(yaml.safe_load_all((folder / f"{file}.yaml").read_text()))
        for document in documents:
            for version in document["spec"]["versions"]:
                version["subresources"] = {"status": {}}
                schema = version["schema"]["openAPIV3Schema"]
                schema["properties"]["status"] = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        node.kubectl("apply", "--server-side", "--filename", "-", stdin=yaml.safe_dump_all(documents))
