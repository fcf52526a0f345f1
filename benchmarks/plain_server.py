"""MLflow's own server, to compare with."""

import subprocess
from dataclasses import dataclass, field

import httpx
from mlflow_server import end, started
from pod import Pod
from serving import SERVER_SECRETS

from live.servers.process import free_port


@dataclass(kw_only=True)
class Plain:
    """``mlflow server`` with one worker, unchanged; ``app`` is the plugin's name, empty for no login."""

    pod: Pod
    app: str = ""
    port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes]" = field(init=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, user: str, key: str) -> httpx.Client:
        login = (f"{user}@example.com", key) if self.app else None
        return httpx.Client(base_url=self.url, auth=login, timeout=60)

    def __enter__(self) -> "Plain":
        arguments = ["--app-name", self.app] if self.app else []
        # The unchanged plugin reads these from its environment only.
        secrets = {name.partition("/")[2]: value for name, value in SERVER_SECRETS.items()}
        environment = {**self.pod.environment, **secrets, "PGTZ": "UTC"}
        self.process = started(self.pod.venv.path, self.port, arguments, environment=environment)
        return self

    def __exit__(self, *_: object) -> None:
        end(self.process)
