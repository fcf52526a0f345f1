"""What the metrics port says of requests: every one is counted, by rule and reason, and no client can add a series."""

import json
import re
from collections import Counter
from collections.abc import Callable

import httpx
import pytest
from pod import Pod
from serving import API, Serving, Site
from waiting import wait_for

from mlflow_sso.authorization.rules import ADMINISTRATOR, MEMBER, OPEN, Kind, edits, reads, refused
from mlflow_sso.serve.request_metrics import BUCKETS, label

pytestmark = pytest.mark.either_release

SAMPLE = re.compile(r"(\w+)\{(.*)\} ([0-9.e+]+)")


READ_GAUGES = """
import json
from mlflow_sso.schemas import schemas
from mlflow_sso.secrets_root import DEFAULT_ROOT, SecretsRoot
from mlflow_sso.serve.gauges import UP, DatabaseGauges

values = DatabaseGauges(schemas(SecretsRoot(DEFAULT_ROOT))).read()
print(json.dumps({name: value for (name,), value in values[UP].items()}))
"""


def samples(serving: Serving, name: str) -> Counter[str]:
    """Values of a metric, by its labels."""
    found = (SAMPLE.fullmatch(line) for line in serving.metrics().splitlines())
    return Counter({match[2]: int(float(match[3])) for match in found if match and match[1] == name})


def increase(serving: Serving, name: str, work: Callable[[], object], *, at_least: int) -> dict[str, int]:
    """What ``work`` adds to a metric, once that is ``at_least`` so much in all."""
    before = samples(serving, name)
    work()
    # A request is counted when its answer has gone, which is a moment after the client has it.
    wait_for(lambda: (samples(serving, name) - before).total() >= at_least)
    return dict(samples(serving, name) - before)


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (OPEN, "open"),
        (ADMINISTRATOR, "administrator"),
        (refused("because"), "refused"),
        (MEMBER, "any member"),
        (reads(Kind.RUN, "run_id"), "read run"),
        (edits(Kind.EXPERIMENT, "experiment_id"), "edit experiment"),
        (MEMBER.listing(Kind.EXPERIMENT), "list experiment"),
    ],
)
def test_label_says_who_may_ask(rule: object, text: str) -> None:
    assert label(rule) == text  # type: ignore[arg-type]


@pytest.mark.servers
def test_requests_are_counted_by_rule(site: Site, server: Serving) -> None:
    def ask() -> None:
        with server.client("anna", site.keys["anna"]) as client:
            client.get(f"{API}/experiments/search?max_results=1").raise_for_status()
            client.get(f"{API}/runs/get?run_id={'0' * 32}")
            client.get(f"{API}/no/such/path")

    found = increase(server, "mlflow_sso_requests_total", ask, at_least=3)

    assert found == {
        'method="read",rule="list experiment",status="2xx"': 1,
        'method="read",rule="read run",status="4xx"': 1,
        'method="read",rule="none",status="4xx"': 1,
    }


@pytest.mark.servers
def test_artifacts_are_counted_in_bytes(site: Site, server: Serving) -> None:
    with server.client("anna", site.keys["anna"]) as client:
        experiment = client.post(f"{API}/experiments/create", json={"name": "counted"}).json()["experiment_id"]
        path = f"/api/2.0/mlflow-artifacts/artifacts/{experiment}/{'a' * 32}/artifacts/file"

        def move() -> None:
            client.put(path, content=b"x" * 1000).raise_for_status()
            client.get(path).raise_for_status()

        found = increase(server, "mlflow_sso_artifact_bytes_total", move, at_least=2000)

    assert found['direction="in"'] == 1000
    assert found['direction="out"'] >= 1000


@pytest.mark.servers
def test_no_client_adds_a_series(site: Site, server: Serving) -> None:
    with server.client("anna", site.keys["anna"]) as client:
        client.get(f"{API}/experiments/search?max_results=1")
        client.get("/no/such/path/at/all")
        before = len(server.metrics().splitlines())
        for number in range(30):
            client.get(f"/made/up/{number}")
            client.request(f"METHOD{number}", f"{API}/experiments/search")
        httpx.get(f"{server.url}/made/up")

    # One for the methods that are no reading, with its sum, count and buckets.
    assert len(server.metrics().splitlines()) - before <= len(BUCKETS) + 10


@pytest.mark.servers
def test_gauges_describe_the_databases(site: Site, server: Serving) -> None:
    release = site.pod.venv.release
    wait_for(lambda: "mlflow_sso_database_up" in server.metrics())

    text = server.metrics()

    assert samples(server, "mlflow_sso_database_up") == {'database="mlflow"': 1, 'database="mlflow_auth"': 1}
    assert samples(server, "mlflow_sso_schema_at_head") == {'database="mlflow"': 1, 'database="mlflow_auth"': 1}
    assert f'mlflow_sso_release_info{{mlflow="{release}"' in text
    assert 'mlflow_sso_rows{database="mlflow",table="runs"}' in text
    assert "mlflow_sso_database_connections_limit 100" in text


@pytest.mark.servers
def test_gauges_say_that_a_database_is_down(migrated_pod: Pod) -> None:
    pod = migrated_pod
    service = pod.secrets_root / "db/pg_service.conf"
    service.write_text(service.read_text().replace(f"port={pod.database.server.port}", "port=1", 1))

    done = pod.python(READ_GAUGES)

    assert json.loads(done.stdout) == {"mlflow": 0.0, "mlflow_auth": 1.0}, done.stderr
