"""What a real API server says to an object: strictly, and without keeping it."""

import json
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
import yaml

from live.servers import ServerError
from testbed.node.api_server import ApiServer

_MANAGER = "settings"

ANY_POD = {"disable-admission-plugins": "ServiceAccount,Priority"}
"""Flags of the API server with which Pods need no ServiceAccount and no PriorityClass."""


@dataclass(kw_only=True)
class Admission:
    """Asks ``server``, over one connection."""

    server: ApiServer
    _known: dict[str, Mapping[str, tuple[str, bool]]] = field(default_factory=dict, init=False, repr=False)
    """By group and version, and by kind: the name in paths, and whether it lives in a namespace."""
    _namespaces: set[str] = field(default_factory=set, init=False, repr=False)

    def refusal(self, manifest: Mapping[str, Any], *, dry_run: bool = True) -> str:
        """What the API server says against ``manifest`` by server-side apply, strictly; empty if it accepts it."""
        metadata = manifest["metadata"]
        query = f"fieldManager={_MANAGER}&force=true&fieldValidation=Strict{'&dryRun=All' if dry_run else ''}"
        path = f"{self._collection(manifest)}/{metadata['name']}?{query}"
        return self._refusal("PATCH", path, manifest)

    def refusal_of_pod(self, template: Mapping[str, Any], namespace: str) -> str:
        """What it says against a Pod made from ``template``, which also passes the namespace's Pod Security."""
        metadata = {**template["metadata"], "name": "pod"}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}
        return self._refusal("POST", f"/api/v1/namespaces/{namespace}/pods?dryRun=All&fieldValidation=Strict", pod)

    def create_namespace(self, name: str) -> None:
        """Create it if it is missing."""
        if name not in self._namespaces:
            space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            self._send("POST", "/api/v1/namespaces", json.dumps(space).encode())
            self._namespaces.add(name)

    def define(self, definitions: Path) -> None:
        """Install the CustomResourceDefinitions of a folder; raises ``ServerError`` if one is refused."""
        for file in sorted(definitions.glob("*.yaml")):
            for definition in filter(None, yaml.safe_load_all(file.read_text())):
                # It demands this of the groups of Kubernetes itself, of which Gateway API is one.
                definition["metadata"]["annotations"] = {"api-approved.kubernetes.io": "unapproved, shortened"}
                refused = self.refusal(definition, dry_run=False)
                if refused:
                    raise ServerError(refused)
                spec = definition["spec"]
                self._wait_for_kind(f"/apis/{spec['group']}/{spec['versions'][0]['name']}", spec["names"]["kind"])

    def _wait_for_kind(self, root: str, kind: str) -> None:
        # A kind is served a moment after its definition is stored.
        while kind not in self._kinds(root):
            time.sleep(0.1)

    def _kinds(self, root: str) -> Mapping[str, tuple[str, bool]]:
        code, answer = self._send("GET", root)
        found = json.loads(answer)["resources"] if code == 200 else []
        return {item["kind"]: (item["name"], item["namespaced"]) for item in found if "/" not in item["name"]}

    def _collection(self, manifest: Mapping[str, Any]) -> str:
        version, kind = manifest["apiVersion"], manifest["kind"]
        root = f"/apis/{version}" if "/" in version else f"/api/{version}"
        if root not in self._known:
            self._known[root] = self._kinds(root)
        plural, namespaced = self._known[root][kind]
        space = f"/namespaces/{manifest['metadata']['namespace']}" if namespaced else ""
        return f"{root}{space}/{plural}"

    def _refusal(self, method: str, path: str, body: Mapping[str, Any]) -> str:
        code, answer = self._send(method, path, json.dumps(body).encode())
        return "" if code < 300 else str(json.loads(answer)["message"])

    def _send(self, method: str, path: str, body: bytes | None = None) -> tuple[int, str]:
        kind = "application/apply-patch+yaml" if method == "PATCH" else "application/json"
        answer = self._client.request(method, path, content=body, headers={"Content-Type": kind})
        return answer.status_code, answer.text

    @cached_property
    def _client(self) -> httpx.Client:
        trust = ssl.create_default_context(cafile=str(self.server.authority))
        folder = self.server.authority.parent
        trust.load_cert_chain(folder / "admin.crt", folder / "admin.key")
        # A proxy of the developer's knows no way to this address.
        return httpx.Client(base_url=self.server.url, verify=trust, timeout=120, trust_env=False)
