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
calls, refused, gate = 0, threading.Semaphore(0), threading.Event()

def check(good, seconds):
    def checked():
        global calls, most, running
        with lock:
            calls, running = calls + 1, running + 1
            most = max(most, running)
        # Held until those are refused that shall be, however late a busy machine starts their threads.
        assert gate.wait(60)
        time.sleep(seconds)
        with lock:
            running -= 1
        return good
    return checked

def tried(name, key, good=False, seconds=0.2):
    try:
        return checks.run(name, key.encode(), check(good, seconds))
    except KeyChecksBusyError:
        refused.release()
        return "busy"

def at_once(*tries, held=0):
    # No check ends before as many are refused as shall be.
    gate.clear()
    begun = [pool.submit(tried, *arguments) for arguments in tries]
    for _ in range(held):
        assert refused.acquire(timeout=60)
    gate.set()
    return [one.result() for one in begun]
"""

ONE_NAME = """
first = at_once(*[("victim", f"wrong {number}") for number in range(40)], held=39)
started = time.monotonic()
def attack(number):
    outcomes = []
    while time.monotonic() < started + 2:
        outcomes.append(tried("victim", f"{number}", False, 0.05))
    return outcomes
flood = [pool.submit(attack, number) for number in range(4)]
others = [pool.submit(tried, f"user {number}", "right", True) for number in range(6)]
hashed = sum(outcome is False for one in flood for outcome in one.result())
print(json.dumps({
    "first": [first.count(wanted) for wanted in (False, "busy", True)],
    "others": [one.result() for one in others], "hashed": hashed, "seconds": time.monotonic() - started,
    "own": tried("victim", "right", True), "most": most,
}))
"""

SAME_KEY = """
same, hashed = at_once(*[("user", "right", True)] * 40), calls
many = at_once(*[(f"user {number}", "right", True) for number in range(40)], held=30)
print(json.dumps({
    "same": set(same) == {True}, "hashed": hashed,
    "many": [many.count(wanted) for wanted in (True, "busy")], "most": most,
}))
"""


def run(venv: Venv, script: str) -> dict[str, object]:
    done = subprocess.run(
        [venv.python, "-c", SCRIPT + script], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_key_checks_confine_attack_to_its_name(venv: Venv) -> None:
    found = run(venv, ONE_NAME)

    # Refused before the check that is running has ended.
    assert found["first"] == [1, 39, 0]
    assert found["others"] == [True] * 6
    assert isinstance(found["hashed"], int)
    assert isinstance(found["seconds"], float)
    # Five at once, then one a second.
    assert found["hashed"] <= 6 + found["seconds"]
    assert (found["own"], found["most"]) == (True, 2)


def test_key_checks_let_right_keys_wait(venv: Venv) -> None:
    found = run(venv, SAME_KEY)

    assert isinstance(found["hashed"], int)
    # The others wait for it; one that comes after its end is checked again.
    assert found.pop("hashed") <= 4
    assert found == {"same": True, "many": [10, 30], "most": 2}
