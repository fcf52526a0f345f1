"""The command line as a user runs it, on all four real servers: what it says, what it does, and its exit codes."""

import json
import shlex
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from blocks import block
from command_line import CommandLine, Servers, environment
from objects import admin, state
from sql import OURS
from sso import administrator
from where_tried import BOOTSTRAP, where_tried

from cdk8s_mlflow.settings import Settings
from mlflow_bootstrap.minio.policy import document

pytestmark = pytest.mark.servers

SettingsOf = Callable[..., Settings]
DOCUMENTED = (
    ("docs/tasks/install.md", "python bootstrap.py plan"),
    ("docs/bootstrap.md", "make setup"),
    ("docs/tasks/add-a-user.md", "python bootstrap.py add-user"),
    ("docs/tasks/add-a-user.md", "python bootstrap.py remove-user"),
    ("docs/tasks/install.md", "python bootstrap.py verify"),
)
"""Blocks of the guides, in the order in which a person would run them."""

ENTRIES = ("postgres", "s3", "oidc", "server")


@pytest.fixture
def site(servers: Servers, settings_of: SettingsOf, tmp_path: Path) -> CommandLine:
    """An environment of which nothing exists yet."""
    settings = settings_of(release="3.17.2", database=OURS, bootstrap=servers.addresses())
    return environment(tmp_path, settings, servers.administrators())


# Once for the module: an apply of everything takes seconds, and each test restores what it changes.
@pytest.fixture(scope="module")
def applied(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    """An environment that has been applied once, and that every test leaves as the settings say."""
    sections: dict[str, Any] = {
        "release": "3.17.2",
        "ingress": {"host": "mlflow.example.com"},
        "authentication": {"keycloak_host": "auth.example.com", "realm": "realm-of-cli"},
        "database": {**OURS, "name": "cli", "auth_name": "cli_auth", "role": "cli"},
        "artifacts": {"bucket": "cli", "user": "cli", "policy": "cli"},
        "secrets": {"vault_prefix": "cli"},
        "bootstrap": {**servers.addresses(), "attempts": 3, "backoff_seconds": 0.05, "read_timeout_seconds": 60},
    }
    whole = environment(tmp_path_factory.mktemp("cli"), Settings.model_validate(sections), servers.administrators())
    done = whole.run("apply", "--create-realm")
    assert done.returncode == 0, done.stderr
    return whole


def _secrets(servers: Servers, whole: CommandLine) -> dict[str, dict[str, str]]:
    prefix = whole.settings.secrets.vault_prefix
    return {entry: servers.openbao.call("GET", f"secret/data/{prefix}/{entry}")["data"]["data"] for entry in ENTRIES}


def test_plan_names_everything_and_writes_nothing(servers: Servers, site: CommandLine) -> None:
    before = state(servers.minio)

    planned = site.run("plan", "--create-realm")

    assert (planned.returncode, planned.stderr) == (0, "")
    signs = [line[0] for line in planned.stdout.splitlines()[:-1]]
    assert signs.count("+") == len(signs) == 19
    assert planned.stdout.splitlines()[-1] == "site: 19 to create"
    assert state(servers.minio) == before
    assert not servers.openbao.has(f"secret/metadata/{site.settings.secrets.vault_prefix}?list=true")


def test_verify_finds_everything_as_it_was_applied(applied: CommandLine) -> None:
    verified = applied.run("verify")

    assert (verified.returncode, verified.stderr) == (0, "")
    assert {line[0] for line in verified.stdout.splitlines()[:-1]} == {"="}


def test_json_holds_same_and_no_secret(servers: Servers, applied: CommandLine) -> None:
    planned = applied.run("plan", "-o", "json")

    document = json.loads(planned.stdout)
    assert document["environment"] == "site"
    assert {change["action"] for change in document["changes"]} == {"keep"}
    assert document["failures"] == []
    values = [value for fields in _secrets(servers, applied).values() for value in fields.values() if len(value) > 20]
    # The comparison below would hold for no values, too.
    assert len(values) > 5
    assert not [value for value in values if value in planned.stdout + planned.stderr]


def test_verify_exits_1_on_drift_that_part_repairs(servers: Servers, applied: CommandLine) -> None:
    # By the administrator and not by bootstrap: this is what drift is.
    admin(servers.minio).detach_policy(["cli"], user="cli")

    planned, drifted = applied.run("plan", "minio"), applied.run("verify")
    repaired, verified = applied.run("minio"), applied.run("verify", "minio")

    assert (planned.returncode, drifted.returncode, repaired.returncode, verified.returncode) == (0, 1, 0, 0)
    assert "~ minio/user/cli policy: false → true\n" in drifted.stdout
    assert "~ minio/user/cli policy: false → true\n" in repaired.stdout
    assert repaired.stdout.splitlines()[-1] == "site: 1 changed, 3 unchanged"


@pytest.mark.parametrize(
    ("what", "entry", "field", "said"),
    [
        ("postgres", "postgres", "password", "as soon as their Secret has changed, without a restart"),
        ("s3", "s3", "secretkey", "as soon as their Secret has changed, without a restart"),
        ("oidc", "oidc", "client_secret", "within two minutes after their Secret has changed"),
        ("server", "server", "secret_key", "within two minutes after their Secret has changed"),
    ],
)
def test_rotation_renews_one_secret_and_ends_verified(
    servers: Servers, applied: CommandLine, what: str, entry: str, field: str, said: str
) -> None:
    before = _secrets(servers, applied)

    rotated, verified = applied.run("rotate", what, "--no-wait"), applied.run("verify")

    after = _secrets(servers, applied)
    assert (rotated.returncode, verified.returncode) == (0, 0)
    assert after[entry][field] != before[entry][field]
    assert after[entry][field] not in rotated.stdout + rotated.stderr
    assert {name: after[name] for name in ENTRIES if name != entry} == {
        name: before[name] for name in ENTRIES if name != entry
    }
    assert said in rotated.stderr
    assert "rollout restart" not in rotated.stderr


def test_servers_rotation_leaves_what_encrypts_stored_data(servers: Servers, applied: CommandLine) -> None:
    before = _secrets(servers, applied)["server"]

    applied.run("rotate", "server", "--no-wait")

    after = _secrets(servers, applied)["server"]
    # The keys that encrypt stored data: with a new one, webhooks and passphrases could not be read.
    kept = {key.field for key in applied.settings.server_keys if not key.rotates}
    assert kept
    assert {name for name in before if before[name] == after[name]} == kept


def test_rotation_without_a_cluster_says_what_is_unknown(servers: Servers, applied: CommandLine) -> None:
    before = _secrets(servers, applied)["server"]

    rotated = applied.run("rotate", "server")

    assert rotated.returncode == 3
    assert "error: pods: cannot see whether pods use it (there is no usable kubeconfig" in rotated.stderr
    assert "annotate externalsecret mlflow-server-secret force-sync" in rotated.stderr
    assert _secrets(servers, applied)["server"]["secret_key"] != before["secret_key"]
    assert applied.run("verify").returncode == 0


def test_refused_login_exits_3_after_other_systems(applied: CommandLine) -> None:
    # Only the password is wrong, so that the other systems have something to say.
    outcome = applied.run("verify", PGPASSWORD="a-guess")

    assert outcome.returncode == 3
    assert outcome.stderr.startswith("error: postgres: PostgreSQL at localhost:")
    assert "= minio/user/cli" in outcome.stdout
    assert "= keycloak/client/mlflow" in outcome.stdout
    assert "a-guess" not in outcome.stdout + outcome.stderr


@pytest.mark.parametrize(
    ("arguments", "environ", "said"),
    [
        (["verify", "postgres"], {"PGPASSWORD": ""}, "set PGPASSWORD, or PGPASSWORD_FILE to a file that holds it"),
        (["verify", "minio"], {"MINIO_ADMIN_USER": ""}, "set MINIO_ADMIN_USER"),
        (["verify", "secrets"], {"VAULT_TOKEN": ""}, "set VAULT_TOKEN"),
        (
            ["destroy", "--yes", "--delete-data", "minio/bucket/of-another-team"],
            {},
            "names no data of this environment",
        ),
        (["destroy"], {}, "cannot prompt: not a terminal; run it on a terminal, or add --yes"),
        (["plan", "--environment", "nowhere"], {}, "nowhere"),
        (["plan", "everything"], {}, "everything"),
        (["rotate", "all"], {}, "all"),
    ],
    ids=["no-password", "no-access-key", "no-token", "foreign-data", "no-terminal", "no-file", "no-part", "no-entry"],
)
def test_usage_error_exits_2_and_names_cause(
    applied: CommandLine, arguments: list[str], environ: dict[str, str], said: str
) -> None:
    outcome = applied.run(*arguments, **environ)

    assert outcome.returncode == 2
    assert said in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_login_may_come_from_file(applied: CommandLine) -> None:
    file = applied.folder / "password"
    # Editors and `kubectl create secret` put a newline at the end.
    file.write_text(applied.environ["PGPASSWORD"] + "\n")

    outcome = applied.run("verify", "postgres", PGPASSWORD="", PGPASSWORD_FILE=str(file))

    assert (outcome.returncode, outcome.stderr) == (0, "")


def test_export_asks_no_server_and_holds_no_secret(servers: Servers, applied: CommandLine) -> None:
    # Empty variables count as absent.
    no_logins = dict.fromkeys(applied.environ, "")

    exported = applied.run("export", "keycloak", **no_logins)

    assert exported.returncode == 0
    assert json.loads(exported.stdout)["clients"][0]["clientId"] == "mlflow"
    assert _secrets(servers, applied)["oidc"]["client_secret"] not in exported.stdout


def test_members_are_changed_without_login_to_store(applied: CommandLine) -> None:
    # A helpdesk adds users and must not need the store, which holds all secrets.
    no_store = dict.fromkeys(("VAULT_ADDR", "VAULT_TOKEN"), "")

    added = applied.run("add-user-to-group", "unknown@example.com", "mlflow-users", **no_store)
    removed = applied.run("remove-user-from-group", "unknown@example.com", "mlflow-users", **no_store)
    listed = applied.run("list-users", **no_store)

    assert [done.returncode for done in (added, removed)] == [1, 1]
    assert ["there is no user unknown@example.com" in done.stderr for done in (added, removed)] == [True, True]
    assert (listed.returncode, listed.stdout[:7]) == (0, "no user")


def test_destroy_deletes_ours_and_only_named_data(servers: Servers, site: CommandLine) -> None:
    made = site.run("apply", "--create-realm")
    bucket, role = site.settings.artifacts.bucket, site.settings.database.role
    # Of another team: destroy must leave it.
    admin(servers.minio).policy_add(f"of-others-{bucket}", policy=document(f"of-others-{bucket}"))

    # The name of another environment, as someone types who is in the wrong terminal.
    mistyped = site.run("destroy", typed="production")
    untouched = site.run("verify")
    gone = site.run("destroy", typed="site")
    left = [line for line in site.run("plan").stdout.splitlines() if line[0] == "="]
    data = [f"postgres/database/{site.settings.database.name}", f"postgres/database/{site.settings.database.auth_name}"]
    named = [part for address in data for part in ("--delete-data", address)]
    emptied = site.run("destroy", "--yes", *named, "--delete-data", f"minio/bucket/{bucket}")

    assert [made.returncode, mistyped.returncode, untouched.returncode] == [0, 2, 0]
    assert "nothing was done" in mistyped.stderr
    assert [gone.returncode, emptied.returncode] == [0, 0]
    assert f"= postgres/role/{role}" in left
    assert f"= minio/bucket/{bucket}" in left
    assert "= secrets/vault/postgres" in left
    assert f"= keycloak/realm/{site.settings.authentication.realm}" in left
    assert [f"- {address}" in emptied.stdout for address in (*data, f"minio/bucket/{bucket}")] == [True] * 3
    assert f"of-others-{bucket}" in state(servers.minio)["policies"]
    assert state(servers.minio)["objects"].get(bucket) is None


def test_secrets_are_printed_to_new_private_file(site: CommandLine) -> None:
    # Every YAML file of the folder is an environment.
    (site.folder / "printed").mkdir()
    file = site.folder / "printed" / "secrets.yaml"

    printed = site.run("apply", "--create-realm", "--print-secrets-to", str(file))
    content = file.read_text()
    again = site.run("apply", "--print-secrets-to", str(file))

    assert printed.returncode == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert content.count("kind: Secret") == 5
    assert f"AWS_ACCESS_KEY_ID: {site.settings.artifacts.user}" in content
    assert again.returncode == 2
    assert "already exists; name a new file; nothing is ever overwritten" in again.stderr
    assert file.read_text() == content


def test_documented_commands_run_in_order(servers: Servers, site: CommandLine) -> None:
    realm = site.settings.authentication.realm
    # A realm of its own: the guides begin after the identity team has made it.
    administrator(servers.keycloak).create_realm({"realm": realm, "enabled": True})
    alice = {"username": "alice", "email": "alice@example.com", "firstName": "A", "lastName": "B", "enabled": True}
    administrator(servers.keycloak, realm).create_user(alice)
    shown = [command for document, first in DOCUMENTED for command in block(document, first).commands]
    commands = [shlex.split(command)[2:] for command in shown if where_tried(command) is BOOTSTRAP]

    runs = [site.run(*command[: command.index("--environment")]) for command in commands]

    # So that a block that is no longer found in a guide does not make this test empty.
    assert len(runs) == 9
    failed = [(command, done.stderr) for command, done in zip(commands, runs, strict=True) if done.returncode]
    assert failed == []
    (listed,) = [done.stdout for command, done in zip(commands, runs, strict=True) if command[0] == "list-users"]
    assert "alice" in listed
