"""What the alerts' pages search the log for is found in the server's own lines, as text and as JSON."""

import subprocess

import pytest
from blocks import blocks
from commands import ROOT
from serving import API, Serving, Site

pytestmark = [pytest.mark.servers, pytest.mark.either_release]

LOGS = "kubectl -n mlflow logs -l app.kubernetes.io/component=tracking-server "


def searched(page: str, log: str) -> list[str]:
    """What the page's command prints of a log."""
    shown = [command for block in blocks(ROOT / "docs/runbooks" / page) for command in block.commands]
    (command,) = [one for one in shown if one.startswith(LOGS)]
    pipe = command.partition(" | ")[2]
    done = subprocess.run(["bash", "-c", pipe], input=log, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.stdout.splitlines()


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_pages_find_refused_requests(site: Site, log_format: str) -> None:
    with Serving(pod=site.pod, environment={"MLFLOW_SSO_LOG_FORMAT": log_format}) as serving:
        serving.wait()
        with serving.client("anna", "wrong") as stranger, serving.client("anna", site.keys["anna"]) as anna:
            statuses = [
                client.get(f"{API}/experiments/search?max_results=1").status_code
                for client in (stranger, stranger, stranger, anna)
            ]
    # A line is written once the answer has ended, which the client may see before.
    log = serving.log.read_text()

    (address,) = searched("many-refused-logins.md", log)
    failed = searched("errors-fast.md", log)
    assert statuses == [401, 401, 401, 200]
    assert address.split() == ["3", "127.0.0.1"]
    assert len([line for line in failed if "401" in line]) >= 3
    assert [line for line in failed if '" 200' in line or '"status": 200' in line] == []
    assert searched("errors-slow.md", log) == []
    assert searched("busy.md", log) == ["0"]
