"""What a server of the older release answers once a newer one has upgraded its databases, until it is replaced."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import httpx
import pytest
from pod import Pod, Venv
from serving import API, SETTINGS, Serving, make_run, make_users, mount_server_secrets

pytestmark = [pytest.mark.servers, pytest.mark.parametrize("venv", ["3.6.0"], indirect=True)]

REQUESTS: dict[str, Callable[[httpx.Client, str], httpx.Response]] = {
    "a run": lambda client, run: client.get(f"{API}/runs/get", params={"run_id": run}),
    "experiments": lambda client, _: client.get(f"{API}/experiments/search?max_results=5"),
    "models": lambda client, _: client.get(f"{API}/registered-models/search"),
    "a tag": lambda client, run: client.post(
        f"{API}/runs/set-tag", json={"run_id": run, "key": "team", "value": "blue"}
    ),
}


@pytest.fixture
def keys(migrated_pod: Pod) -> dict[str, str]:
    mount_server_secrets(migrated_pod)
    return make_users(replace(migrated_pod, settings=SETTINGS))


@pytest.fixture
def old(migrated_pod: Pod, keys: dict[str, str]) -> Iterator[Serving]:
    """A server of the older release that has answered already."""
    with Serving(pod=replace(migrated_pod, settings=SETTINGS)) as serving:
        yield serving.wait()


def test_upgrade_makes_old_server_ask_to_try_again(old: Serving, keys: dict[str, str]) -> None:
    # given
    with old.client("anna", keys["anna"]) as anna, old.client("bert", keys["bert"]) as bert:
        run = make_run(anna)
        before = {name: ask(anna, run).status_code for name, ask in REQUESTS.items()}
        upgraded = replace(old.pod, venv=Venv(release="3.17.2"), forks=None).migrate()

        # when
        answers = [ask(client, run) for client in (anna, bert) for ask in REQUESTS.values()]

    # then
    assert upgraded.code == 0, upgraded.stderr
    assert set(before.values()) == {200}
    assert {(answer.status_code, answer.headers.get("retry-after")) for answer in answers} == {(503, "10")}
    assert {answer.json()["error_code"] for answer in answers} == {"TEMPORARILY_UNAVAILABLE"}
    assert "the databases were upgraded for a newer release" in old.log.read_text()
    assert httpx.get(old.health_url, timeout=30).status_code == 200
