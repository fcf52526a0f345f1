"""Renewed secrets: made by the bootstrap, carried by External Secrets, and in use without a restart."""

from dataclasses import replace

import httpx
import pytest
from backing_state import end_connections, entry
from stream import Stream
from web_session import WebSession
from worker import Worker

from live.users import User
from testbed.system import System

pytestmark = [pytest.mark.servers, pytest.mark.nightly]

SEARCH = "/api/2.0/mlflow/experiments/search?max_results=5"


def _wait_mounted(system: System, password: str) -> None:
    """Until every pod of the server has the password in its files, which the node's kubelet renews each ten seconds."""

    def mounted() -> bool:
        read = ["--container", "mlflow", "--", "cat", "/var/run/secrets/mlflow/db/pg_service.conf"]
        pods = system.workloads.pods()
        return all(password in system.workloads.kubectl("exec", pod.name, *read) for pod in pods)

    system.node.wait("the renewed password", mounted)


def test_renewed_database_password_reaches_running_pods(replicated: System, new_user: User) -> None:
    pods = replicated.workloads.pods()
    with Worker.with_run(replicated, new_user) as worker:
        before = entry(replicated, "postgres")["password"]

        replicated.bootstrap.succeed("rotate", "postgres", "--no-wait")
        replicated.sync_secrets()
        _wait_mounted(replicated, entry(replicated, "postgres")["password"])
        # Connections that are open need no password.
        end_connections(replicated)

        assert entry(replicated, "postgres")["password"] != before
        assert [worker.log(step).status_code for step in range(1, 9)] == [200] * 8
    assert replicated.workloads.pods() == pods


def _replacements(system: System) -> dict[str, int]:
    """How often each pod has replaced its workers."""
    line = "replaced every worker after a mounted Secret had changed"
    return {pod.name: system.workloads.logs(pod.name).count(line) for pod in system.workloads.pods()}


def _in_use(system: System) -> bool:
    """Whether each pod says that it uses what is mounted."""
    script = "import urllib.request as r; print(r.urlopen('http://127.0.0.1:9090/metrics').read().decode())"
    read = ["--container", "mlflow", "--", "python", "-c", script]
    found = [system.workloads.kubectl("exec", pod.name, *read) for pod in system.workloads.pods()]
    return all("mlflow_sso_secrets_in_use 1.0" in text for text in found)


def test_renewed_secrets_are_used_without_restart(replicated: System, new_user: User) -> None:
    names = ("oidc", "server", "s3")
    before = {name: entry(replicated, name) for name in names}
    pods = replicated.workloads.pods()
    with Worker.with_run(replicated, new_user) as worker, WebSession(system=replicated) as visitor:
        assert worker.upload("kept.bin", b"kept").status_code == 200
        visitor.log_in(new_user)
        earlier = _replacements(replicated)

        with Stream(worker.log, least=20) as stream:
            said = [replicated.bootstrap.succeed("rotate", name, "--no-wait") for name in names]
            replicated.sync_secrets()
            replicated.node.wait(
                "new workers",
                lambda: all(count > earlier[name] for name, count in _replacements(replicated).items()),
            )
            replicated.node.wait("the new values", lambda: _in_use(replicated))

        assert stream.failures == []
        assert worker.download("kept.bin").content == b"kept"
        assert visitor.client.get(SEARCH).status_code == 200
        with WebSession(system=replicated) as another:
            another.log_in(new_user)
            assert another.client.get(SEARCH).status_code == 200
    assert replicated.workloads.pods() == pods
    after = {name: entry(replicated, name) for name in names}
    assert len(said) == 3
    assert after["s3"]["secretkey"] != before["s3"]["secretkey"]
    assert after["oidc"]["client_secret"] != before["oidc"]["client_secret"]
    assert after["server"]["secret_key"] != before["server"]["secret_key"]
    # A new one could not read the secrets of webhooks that are stored.
    assert after["server"]["webhook_secret_encryption_key"] == before["server"]["webhook_secret_encryption_key"]
    assert replicated.bootstrap.run("verify").returncode == 0


def test_renewed_key_of_minio_fails_no_upload(replicated: System, new_user: User) -> None:
    before = entry(replicated, "s3")
    pods, kubeconfig = replicated.workloads.pods(), str(replicated.node.kubeconfig)
    bootstrap = replace(replicated.bootstrap, variables={**replicated.bootstrap.variables, "KUBECONFIG": kubeconfig})
    with Worker.with_run(replicated, new_user) as worker:
        assert worker.upload("kept.bin", b"kept").status_code == 200

        def there_and_back(number: int) -> httpx.Response:
            name = f"{number}.bin"
            stored = worker.upload(name, b"sent")
            return worker.download(name) if stored.status_code == 200 else stored

        with Stream(there_and_back, least=20) as stream:
            said = bootstrap.succeed("rotate", "s3")

        assert stream.failures == []
        assert stream.sent > 20
        assert worker.download("kept.bin").content == b"kept"
    after, user = entry(replicated, "s3"), replicated.settings.artifacts
    assert f"+ minio/user/{user.second_user}" in said
    assert f"- minio/user/{user.second_user}" in said
    assert (after["accesskey"], after["secretkey"] != before["secretkey"]) == (user.user, True)
    assert replicated.workloads.pods() == pods
    assert replicated.bootstrap.run("verify").returncode == 0
