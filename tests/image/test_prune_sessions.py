"""``prune-sessions``: what has expired is deleted, everything else stays."""

import pytest
from pod import Pod
from serving import Site

pytestmark = pytest.mark.servers

current = pytest.mark.parametrize("venv", ["3.17.2"], indirect=True)
baseline = pytest.mark.parametrize("venv", ["3.6.0"], indirect=True)

SESSIONS = """
INSERT INTO auth_sessions (session_id, user_id, created_at, expires_at, revoked_at)
SELECT state, users.id, now() - interval '2 days', now() AT TIME ZONE 'UTC' + ends, revoked
FROM users, (VALUES
  ('expired', interval '-1 second', NULL), ('expired long ago', interval '-300 days', NULL),
  ('alive', interval '1 hour', NULL), ('revoked', interval '1 hour', now() AT TIME ZONE 'UTC')
) AS made (state, ends, revoked)
WHERE username = 'anna@example.com'
"""


ACTIVITY = """
INSERT INTO scim_activity (at, method, path, status, outcome)
SELECT now() AT TIME ZONE 'UTC' - days, 'GET', '/Users', 200, 'ok'
FROM (VALUES (interval '31 days'), (interval '29 days')) AS made (days)
"""


@pytest.fixture
def sessions(site: Site) -> Pod:
    """Two sessions that have expired, one that is alive, and one that was revoked before its time."""
    site.pod.database.query("DELETE FROM auth_sessions", service="mlflow_auth")
    site.pod.database.query(SESSIONS, service="mlflow_auth")
    return site.pod


def left(pod: Pod) -> set[str]:
    return {name for (name,) in pod.database.query("SELECT session_id FROM auth_sessions", service="mlflow_auth")}


@current
def test_expired_sessions_go_and_all_others_stay(sessions: Pod) -> None:
    done = sessions.run("prune-sessions")

    assert done.code == 0, done.stderr
    assert done.results[0] == {"database": "mlflow_auth", "message": "deleted 2 expired session(s)"}
    assert left(sessions) == {"alive", "revoked"}


@current
def test_prune_sessions_says_what_plugin_says(sessions: Pod) -> None:
    sessions.database.query("DELETE FROM scim_activity", service="mlflow_auth")
    sessions.database.query(ACTIVITY, service="mlflow_auth")
    plugin = "from mlflow_oidc_auth.db.cli import commands; commands()"
    uri = sessions.environment["OIDC_USERS_DB_URI"]

    theirs = sessions.python(plugin, "prune-sessions", "--url", uri, "--dry-run")
    ours = sessions.run("prune-sessions", "--dry-run")

    assert [line["message"] for line in ours.results] == theirs.stdout.splitlines()
    assert "1 SCIM activity row(s) older than 30 day(s) would be deleted" in theirs.stdout
    assert ours.stderr == ""


@current
def test_prune_sessions_imports_neither_mlflow_nor_plugin(sessions: Pod) -> None:
    program = "import sys; from mlflow_sso.cli import main\ntry: main(sys.argv[1:])\nfinally: print(*sys.modules)"

    done = sessions.python(program, "prune-sessions", "--secrets-root", str(sessions.secrets_root), "--dry-run")

    assert done.code == 0, done.stderr
    assert not {"mlflow", "mlflow_oidc_auth", "sqlalchemy"} & set(done.stdout.split())


@current
@pytest.mark.parametrize("days", ["soon", "-1"])
def test_prune_sessions_refuses_unreadable_retention(sessions: Pod, days: str) -> None:
    done = sessions.run("prune-sessions", SCIM_ACTIVITY_RETENTION_DAYS=days)

    assert done.code == 2
    assert "SCIM_ACTIVITY_RETENTION_DAYS" in done.stderr


@current
def test_dry_run_counts_them_and_deletes_none(sessions: Pod) -> None:
    done = sessions.run("prune-sessions", "--dry-run")

    assert done.code == 0, done.stderr
    assert done.results[0]["message"] == "2 expired session(s) would be deleted"
    assert left(sessions) == {"expired", "expired long ago", "alive", "revoked"}


@current
def test_role_without_rights_fails_in_one_line(sessions: Pod) -> None:
    sessions.database.superuser("ALTER TABLE auth_sessions OWNER TO postgres", inside="mlflow_auth")
    try:
        done = sessions.run("prune-sessions")
    finally:
        sessions.database.superuser("ALTER TABLE auth_sessions OWNER TO {role}", inside="mlflow_auth")

    assert done.code == 1
    assert "permission denied for table auth_sessions" in done.stderr
    assert "Traceback" not in done.stderr


@current
def test_before_migration_it_does_nothing(pod: Pod) -> None:
    done = pod.run("prune-sessions")

    assert done.code == 75
    assert "run `mlflow-sso migrate` first" in done.stderr


@baseline
def test_baseline_has_none_to_prune_and_says_so(pod: Pod) -> None:
    done = pod.run("prune-sessions")

    assert done.code == 2
    assert "release 3.6.0 keeps no sessions in the database" in done.stderr
