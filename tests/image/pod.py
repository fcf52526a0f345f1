"""A pod without Kubernetes: Secrets in a directory, the environment of the manifests, a release's own interpreter."""

import json
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from buckets import Bucket as Bucket
from databases import Database as Database

ROOT = Path(__file__).parents[2]

QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "GIT_PYTHON_REFRESH": "quiet"}
"""MLflow sends no telemetry, and looks for no git."""

LONGEST = 1200
"""Seconds that a fork may take."""


@dataclass(frozen=True, kw_only=True)
class Venv:
    """The environment created from one release's lock by ``make setup-image``."""

    release: str

    @property
    def path(self) -> Path:
        return ROOT / f".venv-image-{self.release}"

    @property
    def python(self) -> Path:
        return self.path / "bin" / "python"

    @property
    def mlflow_sso(self) -> Path:
        """The console command."""
        return self.path / "bin" / "mlflow-sso"


@dataclass(frozen=True, kw_only=True)
class Done:
    """A program that has ended."""

    code: int
    stdout: str
    stderr: str
    seconds: float = 0.0

    @property
    def results(self) -> list[dict[str, Any]]:
        """The JSON lines of stdout."""
        return [json.loads(line) for line in self.stdout.splitlines()]

    @property
    def progress(self) -> list[dict[str, Any]]:
        """The JSON lines of stderr."""
        return [json.loads(line) for line in self.stderr.splitlines() if line.startswith("{")]


@dataclass(kw_only=True)
class Forks:
    """A process of a release that has imported MLflow, which takes seconds, and runs programs and scripts in forks."""

    venv: Venv
    process: "subprocess.Popen[bytes]" = field(init=False)
    folder: "tempfile.TemporaryDirectory[str]" = field(init=False)

    def __enter__(self) -> Self:
        self.folder = tempfile.TemporaryDirectory(prefix="forks-")
        self.process = subprocess.Popen(
            [self.venv.python, "-W", "ignore::DeprecationWarning", Path(__file__).with_name("forks.py"), self._socket],
            env={"PATH": os.environ["PATH"], "HOME": self.folder.name, **QUIET},
            cwd=self.folder.name,
            stdin=subprocess.PIPE,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.communicate(timeout=240)
        self.folder.cleanup()

    @property
    def _socket(self) -> str:
        return f"{self.folder.name}/socket"

    def run(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        *,
        script: str | None = None,
        longest: int = LONGEST,
        kill_after: float | None = None,
    ) -> Done:
        """Run ``mlflow-sso`` with ``arguments``, or a ``script``, to its end or to the second in which it is killed.

        Several threads may do so at a time.
        """
        with tempfile.TemporaryDirectory(dir=self.folder.name) as folder:
            out, err, path = (Path(folder, name) for name in ("stdout", "stderr", "script.py"))
            path.write_text(script or "")
            task = {"arguments": list(arguments), "script": script and str(path), "environment": dict(environment)}
            task |= {"folder": str(Path.cwd()), "stdout": str(out), "stderr": str(err)}
            answer = self._ask({**task, "longest": longest, "kill_after": kill_after})
            return Done(code=answer["code"], stdout=out.read_text(), stderr=err.read_text(), seconds=answer["seconds"])

    def _ask(self, task: Mapping[str, Any]) -> dict[str, Any]:
        with socket.socket(socket.AF_UNIX) as connection:
            # It listens once everything is imported.
            while connection.connect_ex(self._socket):
                assert self.process.poll() is None, "the process that forks has ended"
                time.sleep(0.05)
            with connection.makefile("rw") as stream:
                print(json.dumps(task), file=stream, flush=True)
                answer: dict[str, Any] = json.loads(stream.readline())
        return answer


@dataclass(frozen=True, kw_only=True)
class Pod:
    """Where a program runs: ``folder`` holds the mounted Secrets and the writable directories."""

    venv: Venv
    folder: Path
    database: Database
    bucket: Bucket
    settings: Mapping[str, str] = field(default_factory=dict)
    """Environment beside the one that the manifests give."""
    forks: Forks | None = None
    """Where programs and scripts run; unset, each is a process that imports everything anew."""

    @property
    def secrets_root(self) -> Path:
        return self.folder / "secrets"

    def mount(self) -> None:
        """Write the Secrets, as the kubelet would."""
        for file, text in self._secrets().items():
            path = self.secrets_root / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        (self.folder / "tmp").mkdir(exist_ok=True)

    def _secrets(self) -> dict[str, str]:
        return {
            "db/username": self.database.role,
            "db/password": self.database.password,
            "db/pg_service.conf": "".join(self._service(name) for name in ("mlflow", "mlflow_auth")),
            **self.bucket.secrets,
        }

    def _service(self, name: str) -> str:
        database, tls = self.database, self.database.server.tls
        authority = f"sslrootcert={self.secrets_root}/db/ca.crt\n" if tls else ""
        # With TLS by the name that is in the certificate.
        return (
            f"[{name}]\nhost={'localhost' if tls else '127.0.0.1'}\nport={database.server.port}\n"
            f"dbname={database.name(name)}\nuser={database.role}\npassword={database.password}\n"
            f"sslmode={'verify-full' if tls else 'disable'}\n{authority}connect_timeout=5\n\n"
        )

    @property
    def environment(self) -> dict[str, str]:
        scratch = str(self.folder / "tmp")
        return {
            "PATH": os.environ["PATH"],
            "HOME": scratch,
            "TMPDIR": scratch,
            "PGSERVICEFILE": str(self.secrets_root / "db" / "pg_service.conf"),
            "MLFLOW_BACKEND_STORE_URI": "postgresql+psycopg2:///?service=mlflow",
            "OIDC_USERS_DB_URI": "postgresql+psycopg2:///?service=mlflow_auth",
            **self._files,
            **self.bucket.variables,
            "MLFLOW_ARTIFACTS_DESTINATION": self.bucket.uri,
            "MLFLOW_DEFAULT_ARTIFACT_ROOT": "mlflow-artifacts:/",
            "MLFLOW_SERVE_ARTIFACTS": "true",
            **QUIET,
            **self.settings,
        }

    @property
    def _files(self) -> dict[str, str]:
        """Variables that name files of the bucket's Secret."""
        places = {"AWS_SHARED_CREDENTIALS_FILE": "s3/credentials"}
        places |= {"MLFLOW_SSO_BLOB_KEY_FILE": "azure/AZURE_STORAGE_ACCESS_KEY"}
        places |= {"MLFLOW_SSO_GCS_KEY_FILE": "gcs/key.json"}
        return {name: str(self.secrets_root / file) for name, file in places.items() if file in self.bucket.secrets}

    def copy(self, folder: Path) -> "Pod":
        """The same with databases of its own that hold the same, mounted in ``folder``; no client may be connected."""
        copy = replace(self, folder=folder, database=self.database.copy())
        copy.mount()
        return copy

    def start(self, program: str, *arguments: str, **environment: str) -> "subprocess.Popen[str]":
        """Start a program; its stdout and stderr are pipes."""
        return subprocess.Popen(
            [self.venv.mlflow_sso, program, "--secrets-root", self.secrets_root, *arguments],
            env={**self.environment, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, program: str, *arguments: str, **environment: str) -> Done:
        """Run a program to its end, at most three minutes."""
        # What Python itself heeds it reads when it starts.
        if self.forks and not any(name.startswith("PYTHON") for name in environment):
            return self._fork([program, *arguments], environment, longest=180)
        process = self.start(program, *arguments, **environment)
        stdout, stderr = process.communicate(timeout=180)
        return Done(code=process.returncode, stdout=stdout, stderr=stderr)

    def migrate(self, *arguments: str, kill_after: float | None = None, **environment: str) -> Done:
        """Run ``migrate`` to its end, or kill it after some seconds."""
        if self.forks is None:
            assert kill_after is None
            return self.run("migrate", *arguments, **environment)
        return self._fork(["migrate", *arguments], environment, kill_after=kill_after)

    def _fork(self, command: Sequence[str], environment: Mapping[str, str], **limits: Any) -> Done:
        assert self.forks
        program, *arguments = command
        given = [program, "--secrets-root", str(self.secrets_root), *arguments]
        return self.forks.run(given, {**self.environment, **environment}, **limits)

    def script(self, script: str, *arguments: str, **environment: str) -> Done:
        """Run a script of the tests that imports MLflow."""
        if self.forks is None:
            return self.python(script, *arguments, **environment)
        return self.forks.run(arguments, {**self.environment, **environment}, script=script)

    def python(self, script: str, *arguments: str, **environment: str) -> Done:
        """Run a script of the tests with the release's interpreter, as a process of its own."""
        done = subprocess.run(
            [self.venv.python, "-c", script, *arguments],
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        return Done(code=done.returncode, stdout=done.stdout, stderr=done.stderr)
