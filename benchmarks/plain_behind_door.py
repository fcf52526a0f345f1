"""MLflow's own server without a login, on the databases of a running system and behind a door like the system's."""

import os
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from urllib.parse import quote

import httpx
from mlflow_server import end, started

from live.door.configuration import endpoints_key
from live.door.server import Door
from live.servers.process import free_port
from live.system import System

START_SECONDS = 120


@dataclass(kw_only=True)
class PlainServer:
    """``mlflow server`` with one worker; ``url`` is that of its door."""

    system: System
    folder: Path
    port: int = field(default_factory=free_port)
    door: Door = field(init=False)
    process: "subprocess.Popen[bytes]" = field(init=False)

    @property
    def url(self) -> str:
        return f"https://localhost:{self.door.port}"

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True)
        routes = self.system.door.routes
        self.door = Door(
            data=self.folder / "door",
            port=free_port(),
            certificate=self.system.neighbours.certificate,
            routes=routes,
            endpoints={endpoints_key(route): [self.port] for route in routes},
        )
        venv = self.system.cluster.image.venv
        arguments = ["--backend-store-uri", self._database()]
        arguments += ["--artifacts-destination", str(self.folder / "artifacts")]
        environment = {"PATH": f"{venv / 'bin'}:{os.environ['PATH']}", "HOME": str(self.folder), **SETTINGS}
        self.process = started(venv, self.port, arguments, environment=environment, folder=self.folder)
        self.door.start()
        self._wait()
        return self

    def _database(self) -> str:
        database, neighbours = self.system.settings.database, self.system.neighbours
        key = f"{self.system.settings.secrets.vault_prefix}/postgres"
        user, password = (quote(neighbours.secret(key, name), safe="") for name in ("username", "password"))
        place = f"localhost:{database.port}/{database.name}"
        return f"postgresql+psycopg2://{user}:{password}@{place}?sslmode=verify-full&sslrootcert={self.system.ca}"

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        with httpx.Client(base_url=self.url, verify=self.system.neighbours.certificate.context()) as client:
            while client.get("/health").status_code != 200:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit("error: MLflow's own server did not start")
                time.sleep(0.1)

    def stop(self) -> None:
        """Stop server and door; the second time does nothing."""
        if self.process.poll() is None:
            end(self.process)
        self.door.stop()

    def __exit__(self, *_: object) -> None:
        self.stop()


SETTINGS = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true", "PGTZ": "UTC"}
