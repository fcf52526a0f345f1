"""``restore`` whose commit of one database fails or is lost: the next run ends with both as they were dumped."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from backups import GROUP, make_empty_copy, make_filled, read_all
from commits import lost_commit
from pod import Pod

pytestmark = [pytest.mark.servers, pytest.mark.either_release]


@pytest.mark.parametrize("is_done", [False, True], ids=["lost", "done"])
@pytest.mark.parametrize("service", ["mlflow_auth", "mlflow"])
def test_restore_with_lost_commit_ends_on_rerun(migrated_pod: Pod, tmp_path: Path, service: str, is_done: bool) -> None:
    filled = make_filled(migrated_pod)
    assert filled.run("dump").code == 0
    new = make_empty_copy(filled, tmp_path / "new")

    with lost_commit(new, service, is_done=is_done) as commits:
        first = new.run("restore")
    again = new.run("restore")
    migrated = new.migrate()

    assert (commits.lost, first.code) == (1, 75), first.stderr
    assert "Traceback" not in first.stderr
    assert ("mlflow_auth is restored" in first.stderr) == (service == "mlflow")
    assert again.code == 0, again.stderr
    # The run before has not migrated what it committed.
    assert [line.get("database", line.get("action")) for line in again.results] == ["mlflow", "mlflow_auth", "restored"]
    assert migrated.code == 0, migrated.stderr
    assert read_all(new) == read_all(filled)


def test_restore_goes_on_only_with_the_same_rows(migrated_pod: Pod, tmp_path: Path) -> None:
    filled = make_filled(migrated_pod)
    assert filled.run("dump").code == 0
    new = make_empty_copy(filled, tmp_path / "new")
    with lost_commit(new, "mlflow", is_done=False) as commits:
        first = new.run("restore")
    assert (commits.lost, first.code) == (1, 75), first.stderr
    new.database.query(GROUP, "of someone who came before the rest", service="mlflow_auth")
    changed = read_all(new)

    refused = new.run("restore")

    assert refused.code == 1
    assert "mlflow_auth is not empty" in refused.stderr
    assert read_all(new) == changed


def test_two_restores_take_turns(migrated_pod: Pod, tmp_path: Path) -> None:
    filled = make_filled(migrated_pod)
    assert filled.run("dump").code == 0
    new = make_empty_copy(filled, tmp_path / "new")

    with ThreadPoolExecutor(3) as threads:
        restores = [threads.submit(new.run, "restore", "--timeout", "120") for _ in range(2)]
        migration = threads.submit(new.migrate)
        done = [running.result() for running in restores]

    assert migration.result().code == 0, migration.result().stderr
    # The migration may have come first, or between the two: then there is nothing to restore into.
    assert {(run.code, "is not empty" in run.stderr) for run in done} <= {(0, False), (1, True)}
    assert read_all(new) == read_all(filled) or {run.code for run in done} == {1}


def test_migration_leaves_half_a_restore(migrated_pod: Pod, tmp_path: Path) -> None:
    filled = make_filled(migrated_pod)
    assert filled.run("dump").code == 0
    new = make_empty_copy(filled, tmp_path / "new")
    with lost_commit(new, "mlflow", is_done=False):
        assert new.run("restore").code == 75

    early = new.migrate()
    restored = new.run("restore")
    later = new.migrate()

    # New experiments would get the numbers of old ones, and the grants that others have on those.
    assert early.code == 1
    assert "mlflow is empty, and mlflow_auth holds what a restore has loaded" in early.stderr
    assert (restored.code, later.code) == (0, 0), restored.stderr
    assert read_all(new) == read_all(filled)
