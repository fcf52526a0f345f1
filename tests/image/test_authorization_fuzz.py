"""Ten thousand changed requests of a member about another's things show and change nothing of them."""

import json
from pathlib import Path

import pytest
from attacked import new_site, run_inside
from mutated_requests import Worlds, generate
from pod import Pod, Venv

pytestmark = pytest.mark.servers

COUNT, SEED = 10_000, 20261128


def test_mutated_requests_reach_nothing_of_others(venv: Venv, migrated_once: Pod, tmp_path: Path) -> None:
    file = tmp_path / "requests.json"
    with new_site(migrated_once) as site:
        worlds = run_inside(site, "ask_mutated.py", str(file))
        requests = generate(venv.release, Worlds.of(worlds), count=COUNT, seeded=SEED)
        sent = [[one.method, one.path, list(one.headers), one.body.hex()] for one in requests]
        file.write_text(json.dumps({"victim": worlds["anna"], "requests": sent}))
        found = run_inside(site, "ask_mutated.py", str(file))

    assert len(requests) == COUNT
    assert [(requests[number], status, text) for number, status, text in found["shown"]] == []
    assert found["changed"] == []
    # Enough of them get past the first look.
    assert sum(count for status, count in found["statuses"].items() if int(status) < 400) > COUNT / 50
