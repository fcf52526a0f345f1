"""The way to PostgreSQL: certificates are checked, behind a tunnel too, unless the settings say otherwise."""

import os
from collections.abc import Callable, Iterator

import pytest
from sql import OURS, PASSWORD, apply, context, plan

from cdk8s_mlflow.settings import Settings
from live.servers import Postgres
from live.servers.certificates import issue
from mlflow_bootstrap.context import Context
from mlflow_bootstrap.errors import UnreachableError, UsageError
from mlflow_bootstrap.values import FixedValues

pytestmark = pytest.mark.servers

SettingsOf = Callable[..., Settings]
SERVICE = "postgres-cluster-rw.postgres.svc"


@pytest.fixture(scope="module")
def tls_server() -> Iterator[Postgres]:
    """A server that takes only encrypted logins, with a certificate for the name that MLflow uses."""
    server = Postgres(tls=True)
    issue(server.folder / "tls", OURS["host"])
    with server:
        yield server


@pytest.fixture
def tunnelled(settings_of: SettingsOf) -> Iterator[tuple[Postgres, Settings]]:
    """A server whose certificate bears the Service's name, reached at localhost, as by `kubectl port-forward`."""
    server = Postgres(tls=True)
    issue(server.folder / "tls", SERVICE)
    with server:
        settings = settings_of(
            database=OURS | {"host": None, "sslmode": "verify-full"},
            bootstrap={"postgres_host": "localhost", "postgres_port": server.port},
        )
        yield server, settings


def _settings(settings_of: SettingsOf, server: Postgres, **database: object) -> Settings:
    return settings_of(
        database=OURS | {"sslmode": "verify-full"} | database,
        bootstrap={"postgres_host": "localhost", "postgres_port": server.port, "attempts": 2},
    )


def test_stores_authority_vouches_for_server(tls_server: Postgres, settings_of: SettingsOf) -> None:
    settings = _settings(settings_of, tls_server)
    authority = tls_server.certificate.ca.read_text()
    values = FixedValues({"postgres": {"password": PASSWORD, "ca_crt": authority}})
    base = context(tls_server, settings)
    stored = Context(settings=settings, credentials=base.credentials, values=values)

    done, after = apply(stored), plan(stored)

    assert done.failures == ()
    assert after.pending == ()


def test_first_plan_uses_authority_of_environment(tls_server: Postgres, settings_of: SettingsOf) -> None:
    handed = context(
        tls_server,
        _settings(settings_of, tls_server),
        password=None,
        MLFLOW_POSTGRES_CA_CRT_FILE=str(tls_server.certificate.ca),
    )

    assert [str(change)[0] for change in plan(handed).changes] == ["+", "+", "+"]


def test_missing_authority_is_usage_error(tls_server: Postgres, settings_of: SettingsOf) -> None:
    with pytest.raises(UsageError, match=r"no certificate authority.*PGSSLROOTCERT.*MLFLOW_POSTGRES_CA_CRT_FILE"):
        plan(context(tls_server, _settings(settings_of, tls_server)))


def test_public_authorities_do_not_vouch_for_private_server(tls_server: Postgres, settings_of: SettingsOf) -> None:
    with pytest.raises(UnreachableError, match=r"certificate verify failed.*PGSSLROOTCERT"):
        plan(context(tls_server, _settings(settings_of, tls_server, ca="system")))


def test_certificate_for_another_name_is_refused(tls_server: Postgres, settings_of: SettingsOf) -> None:
    settings = _settings(settings_of, tls_server, host="pg.example.com")

    with pytest.raises(UnreachableError, match="does not match host name"):
        plan(context(tls_server, settings, PGSSLROOTCERT=str(tls_server.certificate.ca)))


def test_tunnel_certificate_is_checked_for_mlflows_name(
    tunnelled: tuple[Postgres, Settings],
) -> None:
    server, settings = tunnelled

    done = apply(context(server, settings, PGSSLROOTCERT=str(server.certificate.ca)))

    assert done.failures == ()
    assert len(done.pending) == 3


@pytest.mark.parametrize("mode", ["require", "disable", "prefer", "verify-ca", "verify_full"])
def test_weaker_ssl_mode_is_refused(tls_server: Postgres, settings_of: SettingsOf, mode: str) -> None:
    given = {"PGSSLMODE": mode, "PGSSLROOTCERT": str(tls_server.certificate.ca)}

    with pytest.raises(UsageError, match=rf"PGSSLMODE.*{mode}"):
        plan(context(tls_server, _settings(settings_of, tls_server), **given))


def test_stronger_ssl_mode_is_taken(tls_server: Postgres, settings_of: SettingsOf) -> None:
    settings = _settings(settings_of, tls_server, host="pg.example.com", sslmode="require")
    given = {"PGSSLMODE": "verify-full", "PGSSLROOTCERT": str(tls_server.certificate.ca)}

    with pytest.raises(UnreachableError, match="does not match host name"):
        plan(context(tls_server, settings, **given))


def test_named_authority_never_replaces_stores(tls_server: Postgres, settings_of: SettingsOf) -> None:
    base = context(tls_server, _settings(settings_of, tls_server), PGSSLROOTCERT=str(tls_server.certificate.ca))
    with Postgres(tls=True) as other:
        values = FixedValues({"postgres": {"password": PASSWORD, "ca_crt": other.certificate.ca.read_text()}})

    with pytest.raises(UnreachableError, match="certificate verify failed"):
        plan(Context(settings=base.settings, credentials=base.credentials, values=values))


HOSTILE = {
    # An address of documentation (RFC 5737): who follows it waits in vain.
    "PGHOST": "203.0.113.1",
    "PGHOSTADDR": "203.0.113.1",
    "PGPORT": "1",
    "PGDATABASE": "hostile",
    "PGOPTIONS": "-c default_transaction_read_only=on",
    "PGREQUIREAUTH": "none",
    "PGSERVICE": "hostile",
    "PGSSLCRL": "/nowhere/crl",
    "PGSSLMAXPROTOCOLVERSION": "TLSv1",
    "PGTARGETSESSIONATTRS": "standby",
}


def test_variables_of_libpq_change_nothing(
    tls_server: Postgres, settings_of: SettingsOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = _settings(settings_of, tls_server, role="calm", name="calm", auth_name="calm_auth")
    for name, value in (HOSTILE | {"PGSSLMODE": "disable", "PGSSLROOTCERT": "/nowhere/ca.crt"}).items():
        monkeypatch.setenv(name, value)

    done = apply(context(tls_server, settings, PGSSLROOTCERT=str(tls_server.certificate.ca)))

    assert done.failures == ()
    assert os.environ["PGHOSTADDR"] == HOSTILE["PGHOSTADDR"]


def test_server_without_tls_is_refused(postgres_server: Postgres, settings_of: SettingsOf) -> None:
    with pytest.raises(UnreachableError, match="server does not support SSL"):
        plan(context(postgres_server, _settings(settings_of, postgres_server, sslmode="require")))
