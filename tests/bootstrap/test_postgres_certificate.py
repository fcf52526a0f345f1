"""A role that logs in by certificate: bootstrap gives it no password, and checks as the role with the certificate."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sql import OURS, apply, context, execute, plan, verifier

from cdk8s_mlflow.settings import Settings
from live.servers import Postgres
from live.servers.certificates import Certificate, issue
from mlflow_bootstrap.context import Context
from mlflow_bootstrap.errors import RefusedError, UsageError
from testbed.servers.client_certificates import issue_client

pytestmark = pytest.mark.servers

SettingsOf = Callable[..., Settings]
CERTIFIED = OURS | {"sslmode": "verify-full", "client_certificate": "mlflow-client-cert", "ca": "store"}
# The first rule that fits a login decides.
RULES = "hostssl all {superuser} 127.0.0.1/32 scram-sha-256\nhostssl all all 127.0.0.1/32 cert\n"


@pytest.fixture(scope="module")
def certificate(memory: Path) -> Certificate:
    return issue_client(memory / "mlflow-client", "mlflow")


@pytest.fixture(scope="module")
def server(memory: Path, certificate: Certificate) -> Iterator[Postgres]:
    """A server that lets no role but its superuser in by password."""
    server = Postgres(data=memory / "certified", tls=True)
    issue(server.folder / "tls", CERTIFIED["host"])
    rules = memory / "rules.conf"
    rules.write_text(RULES.format(superuser=server.superuser))
    server.parameters = {"hba_file": str(rules), "ssl_ca_file": str(certificate.ca)}
    with server:
        yield server


@pytest.fixture
def ours(server: Postgres, settings_of: SettingsOf) -> Settings:
    """Settings that let bootstrap create all."""
    return settings_of(
        database=CERTIFIED | {"role": "mlflow"},
        bootstrap={"postgres_host": "localhost", "postgres_port": server.port, "attempts": 1},
    )


def administrator(server: Postgres, settings: Settings, **environ: str) -> Context:
    authority = {"PGSSLROOTCERT": str(server.certificate.ca)}
    return context(server, settings, password=None, **authority, **environ)


def checking(server: Postgres, settings: Settings, certificate: Certificate | None) -> Context:
    """Without an administrator, where CloudNativePG creates all."""
    theirs = {"role_management": "database-role", "database_management": "cnpg"}
    left = settings.model_copy(update={"database": settings.database.model_copy(update=theirs)})
    files = {"PGSSLCERT": str(certificate.certificate), "PGSSLKEY": str(certificate.key)} if certificate else {}
    return administrator(server, left, PGUSER="", PGPASSWORD="", **files)


def test_role_gets_no_password(server: Postgres, ours: Settings) -> None:
    done, after = apply(administrator(server, ours)), plan(administrator(server, ours))

    assert done.failures == ()
    assert after.pending == ()
    assert verifier(server, "mlflow") == "None"


def test_left_over_password_is_removed(server: Postgres, ours: Settings) -> None:
    apply(administrator(server, ours))
    # As after a move from passwords to certificates.
    execute(server, "ALTER ROLE mlflow PASSWORD 'of earlier times'")

    planned = plan(administrator(server, ours))
    apply(administrator(server, ours))

    assert any("set, though a certificate logs in" in str(change) for change in planned.pending)
    assert verifier(server, "mlflow") == "None"


def test_check_logs_in_with_certificate(server: Postgres, ours: Settings, certificate: Certificate) -> None:
    apply(administrator(server, ours))

    outcome = plan(checking(server, ours, certificate))

    assert [str(change)[0] for change in outcome.changes] == ["=", "=", "="]
    assert outcome.failures == ()


def test_missing_certificate_is_usage_error(server: Postgres, ours: Settings) -> None:
    with pytest.raises(UsageError, match=r"no certificate of role mlflow.*PGSSLCERT and PGSSLKEY.*mlflow-client-cert"):
        plan(checking(server, ours, None))


def test_certificate_of_another_authority_is_refused(server: Postgres, ours: Settings, tmp_path: Path) -> None:
    # The role's name is right, so only the authority is wrong.
    foreign = issue_client(tmp_path / "foreign", "mlflow")

    with pytest.raises(RefusedError, match=r"refuses mlflow \(SSL error: .* alert unknown ca\)"):
        plan(checking(server, ours, foreign))


def test_certificate_of_another_role_is_refused(server: Postgres, ours: Settings, certificate: Certificate) -> None:
    other = ours.model_copy(update={"database": ours.database.model_copy(update={"role": "someone"})})

    with pytest.raises(RefusedError, match="certificate authentication failed"):
        plan(checking(server, other, certificate))
