"""Who is hashed for, who waits and who is refused, when keys are wrong."""

import json
import subprocess

import pytest
from pod import Venv

pytestmark = [pytest.mark.servers, pytest.mark.parametrize("venv", ["3.6.0"], indirect=True)]

SCRIPT = """
import json, sys, threading, time
from concurrent.futures import ThreadPoolExecutor
from mlflow_sso.patches import key_checks
from mlflow_sso.patches.key_checks import KeyChecks, KeyChecksBusyError
checks, pool, most, running, lock = KeyChecks(), ThreadPoolExecutor(64), 0, 0, threading.Lock()

def check(good, seconds=0.2):
    def checked():
        global most, running
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(seconds)
        with lock:
            running -= 1
        return good
    return checked

def tried(name, key, good=False, seconds=0.2):
    started = time.monotonic()
    try:
        outcome = checks.run(name, key.encode(), check(good, seconds))
    except KeyChecksBusyError:
        outcome = "busy"
    return outcome, time.monotonic() - started

def at_once(*tries):
    return [one.result() for one in [pool.submit(tried, *arguments) for arguments in tries]]
"""

ONE_NAME = """
first = at_once(*[("victim", f"wrong {number}") for number in range(40)])
stop = time.monotonic() + 2
def attack(number):
    outcomes = []
    while time.monotonic() < stop:
        outcomes.append(tried("victim", f"{number}", False, 0.05)[0])
    return outcomes
flood = [pool.submit(attack, number) for number in range(4)]
others = at_once(*[(f"user {number}", "right", True) for number in range(6)])
hashed = sum(outcome is False for one in flood for outcome in one.result())
print(json.dumps({
    "first": [[outcome for outcome, _ in first].count(wanted) for wanted in (False, "busy", True)],
    "busy": max(seconds for outcome, seconds in first if outcome == "busy"),
    "others": [outcome for outcome, _ in others], "hashed": hashed,
    "own": tried("victim", "right", True)[0], "most": most,
}))
"""

SAME_KEY = """
same = at_once(*[("user", "right", True)] * 40)
many = at_once(*[(f"user {number}", "right", True) for number in range(40)])
print(json.dumps({
    "same": {outcome for outcome, _ in same} == {True}, "seconds": max(seconds for _, seconds in same) < 2,
    "many": [[outcome for outcome, _ in many].count(wanted) for wanted in (True, "busy")], "most": most,
}))
"""


def run(venv: Venv, script: str) -> dict[str, object]:
    done = subprocess.run([venv.python, "-c", SCRIPT + script], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_key_checks_confine_attack_to_its_name(venv: Venv) -> None:
    found = run(venv, ONE_NAME)

    assert found["first"] == [1, 39, 0]
    assert isinstance(found["busy"], float)
    # Refused before the check of 0.2 s that is running has ended.
    assert found["busy"] < 0.15
    assert found["others"] == [True] * 6
    assert isinstance(found["hashed"], int)
    # Five at once, then one a second.
    assert found["hashed"] <= 8
    assert (found["own"], found["most"]) == (True, 2)


def test_key_checks_let_right_keys_wait(venv: Venv) -> None:
    found = run(venv, SAME_KEY)

    assert found == {"same": True, "seconds": True, "many": [10, 30], "most": 2}
