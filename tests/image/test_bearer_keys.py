"""``Authorization: Bearer mlf_…`` on release 3.17.2: the key's own user only."""

from collections.abc import Iterator

import httpx
import pytest
from serving import API, Serving, Site, make_run, make_users

pytestmark = [pytest.mark.servers, pytest.mark.parametrize("venv", ["3.17.2"], indirect=True)]

TRAIN = """
import mlflow
mlflow.set_experiment("by-token")
with mlflow.start_run():
    mlflow.log_metric("loss", 0.5)
print(mlflow.get_experiment_by_name("by-token").experiment_id)
"""


@pytest.fixture
def key(site: Site) -> Iterator[str]:
    """A key of emil's that the test may ruin; he gets another one."""
    yield site.keys["emil"]
    query = "DELETE FROM user_tokens USING users WHERE users.id = user_id AND username = 'emil@example.com'"
    site.pod.database.query(query, service="mlflow_auth")
    site.pod.database.query("UPDATE users SET active = true", service="mlflow_auth")
    site.keys.update(make_users(site.pod, "emil"))


def search(server: Serving, *authorizations: str) -> httpx.Response:
    headers = [("Authorization", authorization) for authorization in authorizations]
    return httpx.get(f"{server.url}{API}/experiments/search?max_results=5", headers=headers, timeout=60)


def test_mlflow_client_takes_key_as_tracking_token(site: Site, server: Serving) -> None:
    variables = {"MLFLOW_TRACKING_URI": server.url, "MLFLOW_TRACKING_TOKEN": site.keys["anna"]}

    done = site.pod.python(TRAIN, **variables)

    assert done.code == 0, done.stderr
    with server.client("anna", site.keys["anna"]) as anna, server.client("bert", site.keys["bert"]) as bert:
        experiment = f"{API}/experiments/get?experiment_id={done.stdout.splitlines()[-1]}"
        assert [client.get(experiment).status_code for client in (anna, bert)] == [200, 403]


def test_key_has_permissions_of_its_user(site: Site, server: Serving) -> None:
    with server.client("anna", site.keys["anna"]) as client:
        run = make_run(client)

    answers = [
        httpx.get(f"{server.url}{API}/runs/get?run_id={run}", headers={"Authorization": f"Bearer {site.keys[user]}"})
        for user in ("anna", "bert")
    ]

    assert [answer.status_code for answer in answers] == [200, 403]


def test_key_with_one_wrong_letter_is_refused(site: Site, server: Serving) -> None:
    right = site.keys["anna"]
    wrong = right[:-1] + ("a" if right[-1] != "a" else "b")

    assert search(server, f"Bearer {right}").status_code == 200
    assert search(server, f"Bearer {wrong}").status_code == 401


def test_key_under_foreign_prefix_is_refused(site: Site, server: Serving) -> None:
    (scheme, prefix, _), (_, _, secret) = (site.keys[user].split("_", 2) for user in ("anna", "bert"))

    assert search(server, f"Bearer {scheme}_{prefix}_{secret}").status_code == 401


@pytest.mark.parametrize("token", ["mlf_00000000_nobody-has-this", "mlf_", "mlf_short_x", "mlf_00000000_", "mlf_%00"])
def test_unknown_key_is_refused(server: Serving, token: str) -> None:
    assert search(server, f"Bearer {token}").status_code == 401


def test_deleted_key_is_refused_at_once(site: Site, server: Serving, key: str) -> None:
    before = search(server, f"Bearer {key}").status_code

    prefix = key.split("_")[1]
    site.pod.database.query("DELETE FROM user_tokens WHERE token_prefix = %s", prefix, service="mlflow_auth")

    assert (before, search(server, f"Bearer {key}").status_code) == (200, 401)


def test_expired_key_is_refused_at_once(site: Site, server: Serving, key: str) -> None:
    before = search(server, f"Bearer {key}").status_code

    expire = (
        "UPDATE user_tokens SET expires_at = now() AT TIME ZONE 'UTC' - interval '1 second' WHERE token_prefix = %s"
    )
    site.pod.database.query(expire, key.split("_")[1], service="mlflow_auth")

    assert (before, search(server, f"Bearer {key}").status_code) == (200, 401)


def test_key_of_disabled_user_is_refused_at_once(site: Site, server: Serving, key: str) -> None:
    before = search(server, f"Bearer {key}").status_code

    site.pod.database.query(
        "UPDATE users SET active = false WHERE username = 'emil@example.com'", service="mlflow_auth"
    )

    assert (before, search(server, f"Bearer {key}").status_code) == (200, 401)


def test_key_among_several_logins_opens_nothing(site: Site, server: Serving) -> None:
    both = search(server, f"Bearer {site.keys['anna']}", f"Bearer {site.keys['bert']}")

    assert both.status_code == 401


def test_other_bearer_token_is_left_to_plugin(server: Serving) -> None:
    # A token that says of itself that it is not signed.
    assert search(server, "Bearer eyJhbGciOiJub25lIn0.e30.").status_code == 401


def test_key_is_no_bearer_token_if_disabled(site: Site) -> None:
    with Serving(pod=site.pod, environment={"MLFLOW_SSO_BEARER_ACCESS_KEYS": "false"}) as serving:
        serving.wait()

        bearer = search(serving, f"Bearer {site.keys['anna']}")
        with serving.client("anna", site.keys["anna"]) as client:
            basic = client.get(f"{API}/experiments/search?max_results=5")

    assert (bearer.status_code, basic.status_code) == (401, 200)
