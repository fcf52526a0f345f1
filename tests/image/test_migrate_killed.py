"""``migrate`` killed at twenty random moments: the next run always ends at the heads, with the very same schema."""

import json
import random
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pod import Pod, Venv
from schema_dump import schema_dumps

pytestmark = pytest.mark.servers

KILLS = 20

Migrate = Callable[[Pod, float | None], dict[str, float]]


@pytest.fixture(scope="module")
def forked_migrate(venv: Venv) -> Iterator[Migrate]:
    """Runs ``migrate`` in a fork of a process that has imported everything, and kills it after some seconds."""
    script = Path(__file__).with_name("forked_migrate.py")
    process = subprocess.Popen([venv.python, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin
    assert process.stdout
    questions, answers = process.stdin, process.stdout

    def run(pod: Pod, kill_after: float | None) -> dict[str, float]:
        arguments = ["migrate", "--secrets-root", str(pod.secrets_root)]
        task = {"arguments": arguments, "environment": pod.environment, "kill_after": kill_after}
        print(json.dumps(task), file=questions, flush=True)
        answer: dict[str, float] = json.loads(answers.readline())
        return answer

    yield run
    questions.close()
    process.wait(timeout=30)


def test_after_each_of_twenty_kills_the_next_run_ends_at_the_heads(
    make_pod: Callable[..., Pod], forked_migrate: Migrate
) -> None:
    unkilled = make_pod()
    whole = forked_migrate(unkilled, None)
    assert whole["code"] == 0
    expected = schema_dumps(unkilled.database)

    codes = []
    for _ in range(KILLS):
        pod = make_pod()
        killed = forked_migrate(pod, random.uniform(0, whole["seconds"]))
        after = forked_migrate(pod, None)
        codes.append((killed["code"], after["code"]))
        assert schema_dumps(pod.database) == expected

    assert [after for _, after in codes] == [0] * KILLS
    assert sum(killed == -9 for killed, _ in codes) >= KILLS / 2
