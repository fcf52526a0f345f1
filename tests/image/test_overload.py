"""More requests than are worked on: each is answered, with 503 and Retry-After if nothing was done for it."""

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import islice

import httpx
import pytest
from pod import Venv
from serving import API, Serving, Site, make_run, table_locked

pytestmark = [pytest.mark.servers, pytest.mark.either_release]

BUSY_POOL = """
import json, sys
import sqlalchemy
from mlflow.exceptions import MlflowException
from mlflow.store.db.utils import _get_managed_session_maker
from mlflow_sso.patches.busy_pools import count_busy_pools_as_outages
count_busy_pools_as_outages()
engine = sqlalchemy.create_engine(
    f"sqlite:///{sys.argv[1]}", poolclass=sqlalchemy.pool.QueuePool, pool_size=1, max_overflow=0, pool_timeout=0.1
)
session = _get_managed_session_maker(sqlalchemy.orm.sessionmaker(engine), "postgresql")
answers = []
with engine.connect():
    for statement in ("SELECT 1", "SELECT 2"):
        try:
            with session() as opened:
                opened.execute(sqlalchemy.text(statement))
        except MlflowException as error:
            answers.append([error.get_http_status_code(), error.error_code])
with session() as opened:
    answers.append(opened.execute(sqlalchemy.text("SELECT 3")).scalar())
    try:
        opened.execute(sqlalchemy.text("SELECT nothing"))
    except sqlalchemy.exc.OperationalError:
        answers.append("own")
print(json.dumps(answers))
"""

BUSY_SLOTS = """
import asyncio, json, threading
from mlflow_sso.serve.threads import Slots
from mlflow_sso.serve.wsgi import WsgiAdapter
entered, leave = threading.Event(), threading.Event()

def application(environ, start_response):
    entered.set()
    leave.wait()
    start_response("200 OK", [])
    return [b"done"]

async def ask(adapter):
    sent = []
    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}
    async def send(message):
        sent.append(message)
    scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "http_version": "1.1",
             "headers": [(b"authorization", b"Basic eDp5")]}
    await adapter(scope, receive, send)
    return sent[0]["status"], dict(sent[0]["headers"]).get(b"retry-after", b"").decode()

async def main():
    adapter = WsgiAdapter(application, slots=Slots(slots=1, longest_wait=0.2))
    first = asyncio.create_task(ask(adapter))
    await asyncio.to_thread(entered.wait)
    late = await asyncio.gather(*[ask(adapter) for _ in range(3)])
    leave.set()
    print(json.dumps([late, await first, await ask(adapter)]))

asyncio.run(main())
"""


def _run(venv: Venv, script: str, *arguments: str) -> object:
    done = subprocess.run(
        [venv.python, "-c", script, *arguments], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_busy_pool_is_no_bad_request(venv: Venv, tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("pool") / "database"

    found = _run(venv, BUSY_POOL, str(file))

    assert found == [[503, "TEMPORARILY_UNAVAILABLE"]] * 2 + [3, "own"]


def test_busy_slots_answer_in_time(venv: Venv) -> None:
    assert _run(venv, BUSY_SLOTS) == [[[503, "5"]] * 3, [200, ""], [200, ""]]


def test_overload_answers_every_request(site: Site) -> None:
    # given
    metrics = [{"key": "loss", "value": 1.0, "timestamp": 1, "step": 1}]
    with Serving(pod=site.pod) as server, server.client("anna", site.keys["anna"]) as anna:
        server.wait()
        anna.timeout = 120
        run = make_run(anna)

        def log() -> tuple[int, str]:
            answer = anna.post(f"{API}/runs/log-batch", json={"run_id": run, "metrics": metrics})
            return answer.status_code, answer.headers.get("retry-after", "")

        # when
        with ThreadPoolExecutor(80) as pool:
            with table_locked(site.pod, "metrics"):
                asked = [pool.submit(log) for _ in range(80)]
                # Those that have a slot wait for the locked table, so the first to end are those without one.
                first = {one.result() for one in islice(as_completed(asked), 40)}
                health = anna.get("/health").status_code
            answers = [one.result() for one in asked]

    # then
    assert first == {(503, "5")}
    assert health == 200
    assert set(answers) == {(200, ""), (503, "5")}


# MLflow opens sessions within sessions, and each needs a connection of its own.
@pytest.mark.parametrize(("size", "overflow"), [("5", "5"), ("1", "1"), ("3", "0")])
def test_nested_sessions_get_their_connections(site: Site, size: str, overflow: str) -> None:
    pool = {"MLFLOW_SQLALCHEMYSTORE_POOL_SIZE": size, "MLFLOW_SQLALCHEMYSTORE_MAX_OVERFLOW": overflow}
    with Serving(pod=site.pod, environment=pool) as server:
        server.wait()
        with server.client("anna", site.keys["anna"]) as client:
            runs = [make_run(client) for _ in range(20)]

        def log(run: str) -> set[int]:
            with server.client("anna", site.keys["anna"]) as client:
                return {_log_batch(client, run, step) for step in range(5)}

        with ThreadPoolExecutor(len(runs)) as threads:
            answers = set().union(*threads.map(log, runs))

    assert answers == {200}


def _log_batch(client: httpx.Client, run: str, step: int) -> int:
    values = {
        "metrics": [{"key": "m", "value": step, "timestamp": step, "step": step}],
        "params": [{"key": f"p{step}", "value": "1"}],
        "tags": [{"key": f"t{step}", "value": "1"}],
    }
    return client.post(f"{API}/runs/log-batch", json={"run_id": run, **values}).status_code
