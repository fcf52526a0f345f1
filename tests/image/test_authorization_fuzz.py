"""Ten thousand changed requests of a member about another's things show and change nothing of them.

`.ci/run` sends the first quarter of them for each change.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from attacked import new_site, run_inside
from depth import sized
from mutated_requests import Request, Worlds, generate
from serving import Site

pytestmark = pytest.mark.servers

COUNT, SEED = sized(change=2_500, every=10_000), 20261128


def attack(
    users_once: Site, file: Path, *, count: int, seeded: int, owned: int = 1
) -> tuple[list[Request], dict[str, Any]]:
    """The requests that were sent, and what came of them."""
    with new_site(users_once) as site:
        worlds = run_inside(site, "ask_mutated.py", str(file))
        requests = generate(site.pod.venv.release, Worlds.of(worlds, owned=owned), count=count, seeded=seeded)
        sent = [[one.method, one.path, list(one.headers), one.body.hex()] for one in requests]
        file.write_text(json.dumps({"victim": worlds["anna"], "requests": sent}))
        return requests, run_inside(site, "ask_mutated.py", str(file))


def test_mutated_requests_reach_nothing_of_others(users_once: Site, tmp_path: Path) -> None:
    requests, found = attack(users_once, tmp_path / "requests.json", count=COUNT, seeded=SEED)

    assert len(requests) == COUNT
    assert [(requests[number], status, text) for number, status, text in found["shown"]] == []
    assert [(requests[number], status, text) for number, status, text in found["failed"]] == []
    assert found["changed"] == []
    # Enough of them get past the first look.
    assert sum(count for status, count in found["statuses"].items() if int(status) < 400) > COUNT / 50


def test_own_things_show_nothing_of_others(users_once: Site, tmp_path: Path) -> None:
    count = COUNT // 5
    requests, found = attack(users_once, tmp_path / "requests.json", count=count, seeded=SEED + 1, owned=3)

    # The victim's names are in requests that write into the attacker's own things, and come back from there; the
    # victim's secret is in no request.
    assert [(requests[number], status, text) for number, status, text in found["secret"]] == []
    assert [(requests[number], status, text) for number, status, text in found["failed"]] == []
    assert found["changed"] == []
    assert sum(number for status, number in found["statuses"].items() if int(status) < 400) > count / 20
