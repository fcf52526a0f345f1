"""The guide's examples, run as they stand with each release's own client in pods of another namespace."""

import shlex
import subprocess
from pathlib import Path

import pytest
from blocks import block
from people import EXAMPLES, Member, join, known_machine_token, new_client, run_example

from testbed.node.client import AUTHORITY
from testbed.system import System

pytestmark = [pytest.mark.servers, pytest.mark.either_release]

REFUSAL = {"3.6.0": "failed with error code 401", "3.17.2": "Authentication required"}
"""What each release's client says of a wrong key."""


@pytest.fixture(scope="module")
def member(system: System) -> Member:
    """A user whose access key the examples use."""
    return join(system)


@pytest.fixture
def on_3_6_0(release: str) -> None:
    """Skips what other releases do otherwise."""
    if release != "3.6.0":
        pytest.skip("only 3.6.0 has one key a user and no other login for it")


@pytest.fixture
def on_3_17_2(release: str) -> None:
    """Skips what other releases do otherwise."""
    if release != "3.17.2":
        pytest.skip("only 3.17.2 takes an access key as bearer token")


@pytest.fixture(scope="module")
def machine(system: System) -> dict[str, str]:
    """The login of the settings' service account, which an administrator has made known to MLflow."""
    return {"MLFLOW_TRACKING_TOKEN": known_machine_token(system)}


def test_training_is_logged_and_loaded_with_key(system: System, member: Member) -> None:
    # Another experiment and model for each member, since names are shared and the first owner keeps one.
    printed = run_example(system, "train_iris.py", f"iris by key of {member.user.name}", variables=member.login)

    assert "version 1 is in Production" in printed


def test_trace_is_found_by_settings_of_dotenv(system: System, member: Member) -> None:
    settings = {
        "MLFLOW_TRACKING_URI": system.url,
        "MLFLOW_TRACKING_SERVER_CERT_PATH": AUTHORITY,
        **member.login,
    }
    dotenv = "".join(f"{name}={value}\n" for name, value in settings.items())

    done = system.client_pod.run(EXAMPLES / "trace.py", "traces by file", variables={}, files={".env": dotenv})

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].startswith("trace tr-")


# Each in an experiment of its own, since names are shared and the first owner keeps one.
def test_machines_token_traces(system: System, machine: dict[str, str]) -> None:
    printed = run_example(system, "trace.py", "traces by machine", variables=machine)

    assert printed.splitlines()[-1].startswith("trace tr-")


@pytest.mark.usefixtures("on_3_17_2")
def test_access_key_in_token_variable_traces(system: System, member: Member) -> None:
    token = {"MLFLOW_TRACKING_TOKEN": member.key}

    printed = run_example(system, "trace.py", "traces by token", variables=token)

    assert member.key.startswith("mlf_")
    assert printed.splitlines()[-1].startswith("trace tr-")


@pytest.mark.usefixtures("on_3_6_0")
def test_access_key_in_token_variable_is_refused(system: System, member: Member) -> None:
    with new_client(system) as client:
        answer = client.get(
            "/api/2.0/mlflow/experiments/search?max_results=5", headers={"Authorization": f"Bearer {member.key}"}
        )

    assert answer.status_code == 401


def test_prompt_is_loaded_by_its_alias(system: System, member: Member) -> None:
    printed = run_example(system, "prompt.py", member.user.name, variables=member.login)

    assert printed.splitlines()[-1] == f"prompt {member.user.name} version 1"


def test_200_mebibytes_go_up_and_come_back_equal(system: System, member: Member) -> None:
    printed = run_example(system, "large_artifact.py", "large", "200", variables=member.login)

    assert printed.splitlines()[-1] == "200 MiB there and back, sha256 equal"


def test_a_wrong_key_is_refused_in_words(system: System, member: Member, tmp_path: Path) -> None:
    # Otherwise the client tries several times before it says so.
    wrong = {**member.login, "MLFLOW_TRACKING_PASSWORD": "wrong", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}
    program = tmp_path / "program.py"
    program.write_text("import mlflow\nmlflow.search_experiments()\n")

    address = {"MLFLOW_TRACKING_URI": system.url, "REQUESTS_CA_BUNDLE": AUTHORITY}

    done = system.client_pod.run(program, variables={**address, **wrong})

    assert done.returncode == 1
    assert REFUSAL[system.settings.release] in done.stderr


def test_documented_first_run_is_logged(system: System, member: Member, tmp_path: Path) -> None:
    shown = block("docs/try-it.md", "export MLFLOW_TRACKING_URI").commands
    variables = dict(shlex.split(command)[1].split("=", 1) for command in shown)
    own = {"MLFLOW_TRACKING_URI": system.url, "REQUESTS_CA_BUNDLE": AUTHORITY, **member.login}
    program = tmp_path / "program.py"
    # Another experiment, since names are shared and the first owner keeps one.
    program.write_text(block("docs/try-it.md", "import mlflow").text.replace('"iris"', f'"iris of {member.user.name}"'))

    done = system.client_pod.run(program, variables=own)

    assert variables.keys() == own.keys()
    assert done.returncode == 0, done.stdout + done.stderr
    assert system.client_pod.last_files() == set()


def test_documented_grant_is_accepted(system: System, member: Member) -> None:
    colleague = join(system)
    made = member.http.post("/api/2.0/mlflow/experiments/create", json={"name": f"shared by {member.user.name}"})
    experiment = made.raise_for_status().json()["experiment_id"]
    (command,) = block("docs/use.md", "curl").commands
    for shown, own in (
        ("you@example.com:KEY", f"{member.email}:{member.key}"),
        ("https://mlflow.example.com", system.url),
        ("colleague@example.com", colleague.email),
        ("EXPERIMENT_ID", experiment),
    ):
        command = command.replace(shown, own)

    done = subprocess.run(
        ["bash", "-c", command],
        env={"PATH": "/usr/bin:/bin", "CURL_CA_BUNDLE": str(system.backing.certificate.ca)},
        capture_output=True,
        text=True,
        check=False,
    )

    seen = colleague.http.get("/api/2.0/mlflow/experiments/get", params={"experiment_id": experiment})
    assert (done.returncode, seen.status_code) == (0, 200), done.stdout + done.stderr
