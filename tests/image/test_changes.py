"""A change of users, keys, groups or grants is counted when it commits, and seen by every replica's next request."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import LiteralString

import httpx
import psycopg
import pytest
from attacked import new_site, run_inside
from pod import Pod
from serving import API, Serving, Site, make_run

pytestmark = [pytest.mark.servers, pytest.mark.either_release]

NUMBER = "SELECT number FROM mlflow_sso_changes"
OURS = 3
"""Statements of ours for a request with a key, at most."""


def number(pod: Pod) -> int:
    ((found,),) = pod.database.query(NUMBER, service="mlflow_auth")
    return int(found)


def test_key_requests_cost_few_statements(users_once: Site) -> None:
    with new_site(users_once) as site:
        counts = run_inside(site, "count_key_statements.py")

    assert {name: line["status"] for name, line in counts.items()} == dict.fromkeys(counts, 200)
    assert {name: line["remembered"] - line["plain"] for name, line in counts.items()} == dict.fromkeys(counts, 1)
    assert {name: line["changed"] - line["plain"] <= OURS for name, line in counts.items()} == dict.fromkeys(
        counts, True
    )


@dataclass(frozen=True, kw_only=True)
class Replicas:
    """Two servers of one database, a run of anna's, and bert as client of each."""

    site: Site
    run: str
    experiment: str
    clients: tuple[httpx.Client, httpx.Client]

    def statuses(self) -> tuple[int, int]:
        """What bert's next request gets from each."""
        first, second = (client.get(f"{API}/runs/get?run_id={self.run}").status_code for client in self.clients)
        return first, second

    def change(self, statement: str) -> None:
        """Change rows as another program does, in one transaction; ``{experiment}`` is anna's, ``{bert}`` his id."""
        with psycopg.connect(self.site.pod.database.dsn("mlflow_auth")) as connection:
            statement = statement.replace("{experiment}", self.experiment).replace("{bert}", BERT)
            connection.execute(statement.encode())


@pytest.fixture(scope="module")
def replicas(users_once: Site) -> Iterator[Replicas]:
    with new_site(users_once) as site, ExitStack() as stack:
        servers = [stack.enter_context(Serving(pod=site.pod)).wait() for _ in range(2)]
        anna = stack.enter_context(servers[0].client("anna", site.keys["anna"]))
        run = make_run(anna)
        found = anna.get(f"{API}/runs/get?run_id={run}").json()["run"]["info"]
        clients = [stack.enter_context(server.client("bert", site.keys["bert"])) for server in servers]
        yield Replicas(site=site, run=run, experiment=found["experiment_id"], clients=(clients[0], clients[1]))


BERT = "(SELECT id FROM users WHERE username = 'bert@example.com')"
GRANTS: dict[str, tuple[str, str]] = {
    "own": (
        "INSERT INTO experiment_permissions (experiment_id, user_id, permission)"
        " VALUES ('{experiment}', {bert}, 'READ')",
        "DELETE FROM experiment_permissions WHERE experiment_id = '{experiment}' AND user_id = {bert}",
    ),
    "group": (
        "WITH made AS (INSERT INTO groups (group_name) VALUES ('readers') RETURNING id),"
        " joined AS (INSERT INTO user_groups (user_id, group_id) SELECT {bert}, id FROM made)"
        " INSERT INTO experiment_group_permissions (experiment_id, group_id, permission)"
        " SELECT '{experiment}', id, 'READ' FROM made",
        "DELETE FROM user_groups WHERE user_id = {bert}",
    ),
    "pattern": (
        "INSERT INTO experiment_regex_permissions (regex, priority, user_id, permission)"
        " VALUES ('.*', 1, {bert}, 'READ')",
        "DELETE FROM experiment_regex_permissions WHERE user_id = {bert}",
    ),
    "administrator": (
        "UPDATE users SET is_admin = true WHERE id = {bert}",
        "UPDATE users SET is_admin = false WHERE id = {bert}",
    ),
}


EXPIRE = {
    "3.6.0": "UPDATE users SET password_expiration = ",
    "3.17.2": "UPDATE user_tokens SET expires_at = ",
}
OF_BERT = {"3.6.0": "id = {bert}", "3.17.2": "user_id = {bert}"}


@pytest.mark.parametrize("kind", GRANTS)
def test_change_is_seen_by_next_request(replicas: Replicas, kind: str) -> None:
    grant, revoke = GRANTS[kind]

    seen = [replicas.statuses(), replicas.statuses()]
    # The statement creates the group, which it can do only once.
    for _ in range(3 if kind != "group" else 1):
        replicas.change(grant)
        seen += [replicas.statuses(), replicas.statuses()]
        replicas.change(revoke)
        seen += [replicas.statuses()]

    changes = seen[2:]
    assert seen[:2] == [(403, 403)] * 2
    assert changes == [(200, 200), (200, 200), (403, 403)] * (len(changes) // 3)


def test_expired_key_is_refused_at_once(replicas: Replicas) -> None:
    expire = EXPIRE[replicas.site.pod.venv.release]

    seen = [replicas.statuses()]
    replicas.change(expire + "now() - interval '2 days' WHERE " + OF_BERT[replicas.site.pod.venv.release])
    seen += [replicas.statuses()]
    replicas.change(expire + "now() + interval '9 days' WHERE " + OF_BERT[replicas.site.pod.venv.release])

    assert [*seen, replicas.statuses()] == [(403, 403), (401, 401), (403, 403)]


def test_changes_are_counted_at_commit(migrated_pod: Pod) -> None:
    insert = "INSERT INTO groups (group_name) SELECT 'g' || n FROM generate_series({}, {}) AS n"
    before = number(migrated_pod)

    with psycopg.connect(migrated_pod.database.dsn("mlflow_auth")) as connection:
        connection.execute(insert.format(1, 500))
        connection.execute(insert.format(501, 600))
        during = number(migrated_pod)
        connection.commit()
        committed = number(migrated_pod)
        connection.execute("DELETE FROM groups")
        connection.rollback()

    assert (during - before, committed - before, number(migrated_pod) - before) == (0, 1, 1)


def test_two_changes_never_wait_for_each_other(migrated_pod: Pod) -> None:
    migrated_pod.database.query("INSERT INTO groups (group_name) VALUES ('a'), ('b')", service="mlflow_auth")
    before, dsn = number(migrated_pod), migrated_pod.database.dsn("mlflow_auth")
    change: LiteralString = "UPDATE groups SET group_name = group_name || '.' WHERE group_name LIKE %s"

    with psycopg.connect(dsn) as first, psycopg.connect(dsn) as second:
        # Should the second wait for the first, this ends it.
        second.execute("SET lock_timeout = '10s'")
        first.execute(change, ["a%"])
        second.execute(change, ["b%"])
        second.commit()
        first.commit()

    assert number(migrated_pod) - before == 2


def test_migrate_creates_counting_once(migrated_pod: Pod) -> None:
    migrated_pod.database.query("DROP TRIGGER mlflow_sso_count_change ON users", service="mlflow_auth")
    lacking = migrated_pod.run("check", "--timeout", "1").stdout
    before = number(migrated_pod)

    first, second = migrated_pod.migrate(), migrated_pod.migrate()

    counted = [[line["counted"] for line in done.results] for done in (first, second)]
    assert counted == [[[], ["users"]], [[], []]], first.stderr
    assert "not counted: users (run `mlflow-sso migrate`" in lacking
    assert "changes mlflow_auth     ok      counted in " in migrated_pod.run("check", "--timeout", "1").stdout
    assert number(migrated_pod) == before


def test_use_of_key_is_no_change(migrated_pod: Pod) -> None:
    if migrated_pod.venv.release == "3.6.0":
        pytest.skip("this release does not note when a key was used")
    migrated_pod.database.query(
        "WITH made AS (INSERT INTO users (username, display_name, is_admin, is_service_account)"
        " VALUES ('u', 'u', false, false) RETURNING id)"
        " INSERT INTO user_tokens (user_id, name, token_hash, created_at, expires_at)"
        " SELECT id, 'default', 'x', now(), now() FROM made",
        service="mlflow_auth",
    )
    before = number(migrated_pod)

    migrated_pod.database.query("UPDATE user_tokens SET last_used_at = now()", service="mlflow_auth")
    used = number(migrated_pod)
    migrated_pod.database.query("UPDATE user_tokens SET expires_at = now()", service="mlflow_auth")

    assert (used - before, number(migrated_pod) - before) == (0, 1)
