"""The loss of the database and of all pods, and the way back by the page of docs/tasks on a PostgreSQL elsewhere."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from minio import Minio
from people import Member, join, run_example
from psycopg import sql
from rendered_environments import rendered_again
from runbook import Runbook
from web_session import WebSession

from live.servers import Postgres
from mlflow_sso.changes import TABLE as CHANGES
from testbed.node.client import AUTHORITY
from testbed.node.outage import outage
from testbed.node.second_database import HOST, PODS, second_database
from testbed.system import System

pytestmark = [pytest.mark.servers, pytest.mark.nightly]

DUMPS = "own-dumps"
BACKUP = {"backup.target": f"s3://{DUMPS}/mlflow"}
ELSEWHERE = {
    **BACKUP,
    "database.host": HOST,
    "database.role_management": "bootstrap",
    "database.database_management": "bootstrap",
    "network.database_pods": PODS,
}
LOAD_A_MODEL = Path(__file__).with_name("load_a_model.py")
MAKE_AGE_KEY = Path(__file__).with_name("make_age_key.py")
RUN = "/api/2.0/mlflow/runs/search"
RESTORE = (
    "kubectl -n mlflow create job mlflow-restore --from=cronjob/mlflow-dump --dry-run=client -o json"
    " | jq '.spec.template.spec"
)

SUSPEND = 'kubectl -n mlflow patch cronjob mlflow-gc --patch \'{{"spec": {{"suspend": {}}}}}\''
"""Command of the page."""


@dataclass(frozen=True, kw_only=True)
class Content:
    """What is to come back: rows and their sum for each table, and what the owner sees by key."""

    tables: dict[str, tuple[int, str]]
    seen: dict[str, Any]


def read_tables(server: Postgres, system: System) -> dict[str, tuple[int, str]]:
    """Of both databases; without the number of changes, which begins anew."""
    found = {}
    login = {"user": server.superuser, "password": server.superuser_password}
    for database in (system.settings.database.name, system.settings.database.auth_name):
        with psycopg.connect(server.dsn(**login, database=database)) as session:
            names = session.execute(
                "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
            )
            for (table,) in names.fetchall():
                query = (
                    # Sorted digests: the order of rows is another one after a restore.
                    "SELECT count(*), coalesce(md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))), '') FROM {} t"
                )
                row = session.execute(sql.SQL(query).format(sql.Identifier(table))).fetchone()
                if table != CHANGES and row:
                    found[f"{database}/{table}"] = row
    return found


def what_is_seen(system: System, member: Member) -> dict[str, Any]:
    experiment = member.http.get("/api/2.0/mlflow/experiments/get-by-name?experiment_name=drill").json()["experiment"]
    runs = member.http.post(RUN, json={"experiment_ids": [experiment["experiment_id"]]}).json()["runs"]
    address = {"MLFLOW_TRACKING_URI": system.url, "REQUESTS_CA_BUNDLE": AUTHORITY}
    loaded = system.client_pod.run(LOAD_A_MODEL, "drill", variables={**address, **member.login})
    assert loaded.returncode == 0, loaded.stderr
    return {"experiment": experiment, "runs": runs, "predicts": loaded.stdout.splitlines()[-1]}


def last_line(printed: str, action: str) -> dict[str, Any]:
    """The result line of a program."""
    (line,) = [line for line in printed.splitlines() if f'"{action}"' in line]
    decoded: dict[str, Any] = json.loads(line)
    return decoded


@dataclass(frozen=True, kw_only=True)
class Drill:
    """A filled system with a dump, and what was there at that moment."""

    system: System
    book: Runbook
    member: Member
    before: Content
    dumped: float
    """Seconds since 1970, as the dump's name says."""
    recipient: str
    """The age public key to which it is encrypted; the secret key is in ``key.txt`` beside the book's programs."""

    def fsck(self) -> dict[str, Any]:
        """Step 6; its last line."""
        self.book.run("kubectl -n mlflow create job mlflow-fsck")
        return last_line(self.book.run("until kubectl -n mlflow logs -f job/mlflow-fsck"), "total")

    def restore(self) -> None:
        """Step 2 from a dump, in another PostgreSQL."""
        self.book.run("python bootstrap.py apply postgres")
        self.book.run("kubectl apply --server-side --force-conflicts -f dist/production/application/")
        self.system.wait_secrets()
        assert HOST in self.book.run("kubectl -n mlflow get secret mlflow-db-secret")
        self.book.run(f"{RESTORE}.containers[0].args")
        assert "give the age secret key by --identity" in self.book.run(
            "until kubectl -n mlflow logs -f job/mlflow-restore"
        )
        self.book.run("kubectl -n mlflow delete job mlflow-restore")
        self.book.run("kubectl -n mlflow create secret generic mlflow-restore-key")
        self.book.run(f"{RESTORE} |=")
        assert last_line(self.book.run("until kubectl -n mlflow logs -f job/mlflow-restore"), "restored")["rows"] > 0
        self.system.workloads.wait_job("mlflow-restore")


@pytest.fixture
def drill(make_system: Callable[..., System], tmp_path: Path) -> Drill:
    system = make_system("3.17.2", **BACKUP)
    programs = tmp_path / "programs"
    programs.mkdir()
    book = Runbook(system=system, page="tasks/restore.md", programs=programs)
    store = system.backing.minio
    Minio(f"127.0.0.1:{store.port}", store.root_user, store.root_password, secure=False).make_bucket(DUMPS)
    made = system.client_pod.run(MAKE_AGE_KEY, variables={})
    assert made.returncode == 0, made.stderr
    recipient, secret = made.stdout.split()
    book.key.write_text(f"{secret}\n")
    system.become(rendered_again(system, tmp_path / "encrypted", changes={**BACKUP, "backup.recipients": [recipient]}))
    member = join(system)
    assert "version 1 is in Production" in run_example(system, "train_iris.py", "drill", variables=member.login)
    seen = what_is_seen(system, member)
    before = Content(tables=read_tables(system.backing.postgres, system), seen=seen)
    book.run("kubectl -n mlflow create job mlflow-dump-now")
    name = last_line(book.run("until kubectl -n mlflow logs -f job/mlflow-dump-now"), "dumped")["name"]
    moment = datetime.strptime(f"{name[:15]}+0000", "%Y%m%dT%H%M%S%z").timestamp()
    return Drill(system=system, book=book, member=member, before=before, dumped=moment, recipient=recipient)


def test_recovery_elsewhere_gives_everything_back(
    drill: Drill, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, record_property: Callable[..., None]
) -> None:
    system, book, node = drill.system, drill.book, drill.system.node
    late = drill.member.http.post("/api/2.0/mlflow/experiments/create", json={"name": "after the dump"})
    lost = time.time()
    with (
        outage(node, system.backing.postgres),
        second_database(tmp_path_factory.mktemp("elsewhere"), node=node, backing=system.backing) as server,
    ):
        # As when the nodes are lost: without an orderly end.
        system.workloads.kubectl("delete", "pods", "--all", "--force", "--grace-period=0")
        book.run("kubectl -n mlflow scale deployment/mlflow --replicas=0")
        book.run(SUSPEND.format("true"))
        changes = {**ELSEWHERE, "bootstrap.postgres_port": server.port, "backup.recipients": [drill.recipient]}
        system.take(rendered_again(system, tmp_path / "moved", changes=changes))
        drill.restore()
        restored = read_tables(server, system)
        system.deliver()
        book.run(SUSPEND.format("false"))
        with WebSession(system=system) as visitor:
            visitor.log_in(drill.member.user)
            known = visitor.whoami()
        back = time.time()
        after, consistent = what_is_seen(system, drill.member), drill.fsck()
        book.run("python bootstrap.py verify")
        checked = book.run("kubectl -n mlflow exec deploy/mlflow -- mlflow-sso check")

    assert late.status_code == 200
    assert restored == drill.before.tables
    assert after == drill.before.seen
    assert known["username"] == drill.member.email
    assert consistent["rows_without_objects"] == 0
    assert "FAILED" not in checked
    record_property(
        "table", f"lost is what was written {lost - drill.dumped:.0f} s before; first login after {back - lost:.0f} s"
    )
