"""A pod without Kubernetes: Secrets in a directory, the environment of the manifests, a release's own interpreter."""

import json
import os
import secrets
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg
from buckets import Bucket as Bucket
from psycopg import sql

from live.servers import Postgres

ROOT = Path(__file__).parents[2]

QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "GIT_PYTHON_REFRESH": "quiet"}
"""MLflow sends no telemetry, and looks for no git."""


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
    """A process of a release that has imported MLflow, which takes seconds, and runs in forks what would import it."""

    venv: Venv
    process: "subprocess.Popen[str]" = field(init=False)
    folder: "tempfile.TemporaryDirectory[str]" = field(init=False)

    def __enter__(self) -> Self:
        self.folder = tempfile.TemporaryDirectory(prefix="forks-")
        self.process = subprocess.Popen(
            [self.venv.python, "-W", "ignore::DeprecationWarning", Path(__file__).with_name("forks.py")],
            env={"PATH": os.environ["PATH"], "HOME": self.folder.name, **QUIET},
            cwd=self.folder.name,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.communicate(timeout=240)
        self.folder.cleanup()

    def run(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        *,
        script: str | None = None,
        kill_after: float | None = None,
    ) -> Done:
        """Run ``mlflow-sso`` with ``arguments``, or a ``script``, to its end or to the second in which it is killed."""
        out, err, path = (Path(self.folder.name, name) for name in ("stdout", "stderr", "script.py"))
        path.write_text(script or "")
        task = {"arguments": list(arguments), "script": script and str(path), "environment": dict(environment)}
        task |= {"stdout": str(out), "stderr": str(err), "kill_after": kill_after}
        assert self.process.stdin
        assert self.process.stdout
        print(json.dumps(task), file=self.process.stdin, flush=True)
        answer = json.loads(self.process.stdout.readline())
        return Done(code=answer["code"], stdout=out.read_text(), stderr=err.read_text(), seconds=answer["seconds"])


@dataclass(frozen=True, kw_only=True)
class Database:
    """A role with two databases of its own, as CloudNativePG or the bootstrap creates them."""

    server: Postgres
    role: str = field(default_factory=lambda: f"owner_{secrets.token_hex(4)}")
    label: str = field(default_factory=lambda: secrets.token_hex(4))
    # Everything that has to be escaped in a URI, and nothing of it in a service file.
    password: str = field(default_factory=lambda: f"%/@:?#'&{secrets.token_urlsafe(9)}", repr=False)

    def name(self, service: str) -> str:
        return f"{service}_{self.label}"

    def dsn(self, service: str) -> str:
        return self.server.dsn(user=self.role, password=self.password, database=self.name(service))

    def create(self) -> None:
        self.superuser("CREATE ROLE {role} LOGIN PASSWORD {password}")
        for service in ("mlflow", "mlflow_auth"):
            self.superuser("CREATE DATABASE {database} OWNER {role}", service=service)

    def copy(self) -> "Database":
        """The same two databases under other names, with the same owner."""
        copy = replace(self, label=secrets.token_hex(4))
        for service in ("mlflow", "mlflow_auth"):
            original = sql.Identifier(self.name(service)).as_string()
            copy.superuser(f"CREATE DATABASE {{database}} TEMPLATE {original} OWNER {{role}}", service=service)
        return copy

    def superuser_dsn(self, service: str | None) -> str:
        """Of the service's database, or of the server's own."""
        database = self.name(service) if service else "postgres"
        return self.server.dsn(user=self.server.superuser, password=self.server.superuser_password, database=database)

    def superuser(self, statement: str, *, service: str = "mlflow", inside: str | None = None) -> None:
        """Run one statement as the superuser, in the database of the service ``inside`` if one is named."""
        names = {"role": sql.Identifier(self.role), "database": sql.Identifier(self.name(service))}
        query = sql.SQL(statement).format(**names, password=sql.Literal(self.password))
        with psycopg.connect(self.superuser_dsn(inside), autocommit=True) as connection:
            connection.execute(query)

    def query(self, statement: str, *parameters: object, service: str = "mlflow") -> list[tuple[Any, ...]]:
        """Rows of a statement run as the owner; none for a statement without rows."""
        with psycopg.connect(self.dsn(service), autocommit=True) as connection:
            cursor = connection.execute(statement, parameters)
            return cursor.fetchall() if cursor.description else []

    def revision(self, service: str) -> str:
        ((revision,),) = self.query("SELECT version_num FROM alembic_version", service=service)
        return str(revision)


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
    """Where ``migrate`` and ``script`` run; unset, each is a process that imports MLflow anew."""

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
        process = self.start(program, *arguments, **environment)
        stdout, stderr = process.communicate(timeout=180)
        return Done(code=process.returncode, stdout=stdout, stderr=stderr)

    def migrate(self, *arguments: str, kill_after: float | None = None, **environment: str) -> Done:
        """Run ``migrate`` to its end, or kill it after some seconds."""
        if self.forks is None:
            assert kill_after is None
            return self.run("migrate", *arguments, **environment)
        command = ["migrate", "--secrets-root", str(self.secrets_root), *arguments]
        return self.forks.run(command, {**self.environment, **environment}, kill_after=kill_after)

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
