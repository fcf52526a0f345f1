"""What ``mlflow-sso serve`` says when something that it needs is missing or wrong."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from pod import Done, Pod
from serving import Site

pytestmark = [pytest.mark.servers, pytest.mark.either_release]

NEEDED = {
    "db/pg_service.conf": "mlflow-db-secret",
    "s3/credentials": "mlflow-s3-secret",
    "oidc/OIDC_CLIENT_ID": "mlflow-oidc-config",
    "oidc/OIDC_CLIENT_SECRET": "mlflow-oidc-config",
    "server/SECRET_KEY": "mlflow-server-secret",
    "server/MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY": "mlflow-server-secret",
}
NEEDED_SINCE_3_17 = {
    "server/SESSION_TOKEN_ENCRYPTION_KEY": "mlflow-server-secret",
    "server/MLFLOW_CRYPTO_KEK_PASSPHRASE": "mlflow-server-secret",
}


@pytest.fixture
def other(site: Site, tmp_path: Path) -> Pod:
    """The site's pod with Secrets of its own to delete from."""
    shutil.copytree(site.pod.secrets_root, tmp_path / "secrets")
    return replace(site.pod, folder=tmp_path)


def serve(pod: Pod, *arguments: str, **environment: str) -> Done:
    """Try it, in directories of the test."""
    own = {"PGSERVICEFILE": str(pod.secrets_root / "db/pg_service.conf"), "TMPDIR": str(pod.folder)}
    return pod.run("serve", *arguments, **own, **environment)


@pytest.mark.parametrize(("file", "secret"), (NEEDED | NEEDED_SINCE_3_17).items())
def test_missing_file_is_named_with_its_secret(other: Pod, file: str, secret: str) -> None:
    if file in NEEDED_SINCE_3_17 and other.venv.release == "3.6.0":
        pytest.skip("release 3.6.0 has no such secret")
    path = other.secrets_root / file
    path.unlink()

    done = serve(other)

    assert done.code == 1
    assert done.stderr == f"error: {path} is missing or empty: it comes from {secret}, key {path.name}\n"


def test_everything_that_is_missing_is_named_at_once(other: Pod) -> None:
    shutil.rmtree(other.secrets_root)

    done = serve(other, MLFLOW_BACKEND_STORE_URI="", OIDC_DISCOVERY_URL="", DEFAULT_MLFLOW_PERMISSION="ALL")

    lines = done.stderr.splitlines()
    assert done.code == 1
    assert all(line.startswith("error: ") for line in lines)
    needed = NEEDED if other.venv.release == "3.6.0" else NEEDED | NEEDED_SINCE_3_17
    for name in ("MLFLOW_BACKEND_STORE_URI", "OIDC_DISCOVERY_URL", "DEFAULT_MLFLOW_PERMISSION", *needed):
        assert sum(name in line for line in lines) == 1, done.stderr


def test_malformed_key_is_refused_without_showing_it(other: Pod) -> None:
    (other.secrets_root / "server/MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY").write_text("correct horse battery staple")

    done = serve(other)

    assert done.code == 1
    assert "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY is not a Fernet key" in done.stderr
    assert "horse" not in done.stderr


def test_service_file_without_section_is_refused(other: Pod) -> None:
    (other.secrets_root / "db/pg_service.conf").write_text("[mlflow]\nhost=127.0.0.1\n")

    done = serve(other)

    assert done.code == 1
    assert "has no section [mlflow_auth]" in done.stderr


def test_unwritable_directory_is_named_with_its_variable(other: Pod) -> None:
    (other.folder / "file").touch()

    done = serve(other, SESSION_CACHE_DIR=str(other.folder / "file" / "session"))

    assert done.code == 1
    assert "set SESSION_CACHE_DIR to another one" in done.stderr


def test_application_of_other_server_is_usage_error(other: Pod) -> None:
    done = serve(other, "--app-name", "oidc-auth-flask")

    assert done.code == 2
    assert done.stderr.startswith(f"error: --app-name oidc-auth-flask is not served by release {other.venv.release}")


@pytest.mark.parametrize(
    # A Service named mlflow has Kubernetes set ``MLFLOW_PORT`` to an address with tcp://.
    "arguments",
    [("--port", "9090"), ("--workers", "0"), ("--port", "tcp://10.0.0.1:80"), ("--gunicorn-opts", "x")],
)
def test_flag_that_cannot_hold_is_usage_error(other: Pod, arguments: tuple[str, str]) -> None:
    done = serve(other, *arguments)

    assert done.code == 2
    assert arguments[0] in done.stderr
    assert "Traceback" not in done.stderr


def test_database_without_schema_is_waited_for(make_pod, site: Site) -> None:  # type: ignore[no-untyped-def]
    pod = make_pod(**site.pod.settings)
    shutil.copytree(site.pod.secrets_root / "oidc", pod.secrets_root / "oidc")
    shutil.copytree(site.pod.secrets_root / "server", pod.secrets_root / "server")

    done = pod.run("serve", "--timeout", "0")

    assert done.code == 75, done.stderr
    assert "run `mlflow-sso migrate`" in done.stderr
    assert pod.database.query("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]


def test_serve_refuses_variables_that_open_holes(other: Pod) -> None:
    done = serve(other, MLFLOW_STATIC_PREFIX="/mlflow", _MLFLOW_SERVER_ARTIFACT_ROOT="/", ENABLE_API_DOCS="true")

    assert done.code == 1
    assert done.stderr.splitlines() == [
        "error: MLFLOW_STATIC_PREFIX moves routes away from where permissions are checked: remove it",
        "error: ENABLE_API_DOCS adds routes that no permission guards: remove it",
        "error: _MLFLOW_SERVER_ARTIFACT_ROOT is private to MLflow's own server: remove it",
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MLFLOW_SSO_MAXIMUM_BODY_SIZE", "no number"),
        ("MLFLOW_SSO_TEMPORARY_SPACE", "1Gi"),
        ("PERMANENT_SESSION_LIFETIME", "12h"),
        ("MLFLOW_SSO_READ_ONLY", "True"),
    ],
)
def test_variable_that_cannot_be_read_is_usage_error(other: Pod, name: str, value: str) -> None:
    done = serve(other, **{name: value})

    assert done.code == 2
    assert done.stderr.startswith(f"error: {name} is {value!r}\nset it to ")
    assert len(done.stderr.splitlines()) == 2
