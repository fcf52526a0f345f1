"""Browser sessions while the keys that sign and encrypt them are renewed under a running server."""

import base64
import secrets
from collections.abc import Callable

import pytest
from mounts import PROMPT, MountedSecrets
from pod import Pod, Venv
from realm import Realm
from serving import SERVER_SECRETS, Serving
from waiting import wait_for

pytestmark = [pytest.mark.servers, pytest.mark.either_release]

SEARCH = "/api/2.0/mlflow/experiments/search?max_results=5"

SIGNED = """
from mlflow_sso.patches.mlflow_3_17_2 import session_keys
from starlette.middleware import sessions
session_keys.accept_earlier_keys()
def signer(setting, settle=180.0):
    session_keys.SETTLE_SECONDS = settle
    return sessions.SessionMiddleware(None, secret_key=setting).signer
old, new, other = "o" * 40, "n" * 40, "x" * 40
cookie = signer(old).sign("a")
print([
    signer(f"{new},{old}").validate(cookie),
    signer(new).validate(cookie),
    signer(old).validate(signer(f"{new},{old}").sign("a")),
    signer(old).validate(signer(f"{new},{old}", 0.0).sign("a")),
    signer(new).validate(signer(f"{new},{old}", 0.0).sign("a")),
    signer("short,key").validate(signer("short").sign("a")),
    signer(f"{other},short").validate(signer("short").sign("a")),
])
"""


@pytest.mark.parametrize("venv", ["3.17.2"], indirect=True)
def test_earlier_key_is_accepted_and_signs_at_first(pod: Pod, venv: Venv) -> None:
    done = pod.python(SIGNED)

    assert done.stdout == "[True, False, True, False, True, False, False]\n", done.stderr


def replaced(server: Serving, count: int) -> Callable[[], bool]:
    return lambda: f'mlflow_sso_secrets_reloaded_total{{result="replaced"}} {count}.0' in server.metrics()


def change(server: Serving, mounted: MountedSecrets, entry: str, count: int, **values: str) -> None:
    """The change number ``count``, of ``entry``, and the end of all workers from before it."""
    before = set(server.worker_processes())
    mounted.change(entry, **values)
    wait_for(replaced(server, count))
    # One that drains still answers connections that are kept alive, by the keys that it has.
    wait_for(lambda: not before & set(server.worker_processes()))


def test_session_outlives_rotation_of_its_keys(migrated_pod: Pod, realm: Realm) -> None:
    is_old = migrated_pod.venv.release == "3.6.0"
    fresh = {
        "SECRET_KEY": secrets.token_urlsafe(30),
        "SESSION_TOKEN_ENCRYPTION_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
    }
    kept = {name: f"{value},{SERVER_SECRETS[f'server/{name}']}" for name, value in fresh.items()}
    with realm.serving(migrated_pod, HOSTNAME=PROMPT) as server, realm.client() as browser:
        mounted = MountedSecrets(migrated_pod.secrets_root)
        server.wait()
        realm.log_in(browser, server.url).raise_for_status()

        # As rotate writes them: release 3.6.0 signs no cookie, and takes one key.
        change(server, mounted, "server", 1, **(fresh if is_old else kept))
        rotated = browser.get(f"{server.url}{SEARCH}")
        again = {} if is_old else fresh
        change(server, mounted, "server", 2, **again, UNKNOWN="x")
        dropped = browser.get(f"{server.url}{SEARCH}")

    assert rotated.status_code == 200
    assert dropped.status_code == (200 if is_old else 401)


def test_new_client_secret_logs_in_without_restart(migrated_pod: Pod, realm: Realm) -> None:
    value = secrets.token_urlsafe(24)
    with realm.serving(migrated_pod, HOSTNAME=PROMPT) as server, realm.client() as browser:
        mounted = MountedSecrets(migrated_pod.secrets_root)
        server.wait()
        with realm.client_secret(value):
            change(server, mounted, "oidc", 1, OIDC_CLIENT_SECRET=value)
            realm.log_in(browser, server.url).raise_for_status()
            found = browser.get(f"{server.url}{SEARCH}")

    assert found.status_code == 200
