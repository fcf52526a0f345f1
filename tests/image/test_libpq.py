"""The environment never changes how libpq connects."""

from collections.abc import Callable

import pytest
from pod import Pod

from mlflow_sso.libpq import drop_foreign_variables

HOSTILE = {
    "PGHOST": "203.0.113.1",
    "PGHOSTADDR": "203.0.113.1",
    "PGPORT": "1",
    "PGSSLMODE": "disable",
    "PGSSLROOTCERT": "/nowhere/ca.crt",
    "PGREQUIREAUTH": "none",
    "PGOPTIONS": "-c search_path=hostile",
    "PGSERVICE": "hostile",
    "PGSYSCONFDIR": "/nowhere",
    "PGTARGETSESSIONATTRS": "standby",
    "PGPASSFILE": "/nowhere/pgpass",
    "PGTZ": "Asia/Tokyo",
}


def test_drop_keeps_only_service_file(capsys: pytest.CaptureFixture[str]) -> None:
    # The last one stands for variables that only a later libpq knows.
    kept = {"PGSERVICEFILE": "/mounted", "PATH": "/bin", "MLFLOW_PG": "x", "PGA_FUTURE_ONE": "1"}
    environment = {**kept, **HOSTILE}

    drop_foreign_variables(environment)

    assert environment == {name: value for name, value in kept.items() if name != "PGA_FUTURE_ONE"}
    assert "PGSSLMODE" in capsys.readouterr().err


@pytest.mark.servers
@pytest.mark.parametrize("name", ["PGHOSTADDR", "PGTARGETSESSIONATTRS", "PGSSLMODE"])
def test_program_ignores_variable_of_libpq(migrated_pod: Pod, name: str) -> None:
    done = migrated_pod.run("wait-for-schema", "--timeout", "20", **{name: HOSTILE[name]})

    assert done.code == 0, done.stderr
    assert any(line.get("variable") == name for line in done.progress)


@pytest.mark.servers
def test_programs_ignore_all_variables_of_libpq(make_pod: Callable[..., Pod]) -> None:
    pod = make_pod()

    migrated = pod.migrate(**HOSTILE)

    assert migrated.code == 0, migrated.stderr
