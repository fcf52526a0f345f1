"""Builds two worlds, or sends many requests about one of them as the owner of the other; writes JSON.

Arguments: the root of the Secrets, the access keys by user name, this name, and a file of requests, which is read if
it exists, and else written with the names of both worlds.
"""

import json
import sys
from pathlib import Path
from typing import Any

from application import Application, Request, basic
from digest import rows_of
from world import User, World, shows


def build(application: Application, keys: dict[str, str]) -> dict[str, Any]:
    """The victim's world and the attacker's."""
    worlds = {}
    for owner in ("anna", "bert"):
        world = World(application, User(owner, (basic(owner, keys[owner]),)))
        worlds[owner] = {**world.names, "secret": world.secret}
    return worlds


def attack(
    application: Application, keys: dict[str, str], victim: dict[str, str], requests: list[Any]
) -> dict[str, Any]:
    """Send them all as the attacker."""
    before, statuses, own = rows_of(victim), dict[int, int](), set[bytes]()
    shown, failed, secret = list[Any](), list[Any](), list[Any]()
    for number, (method, path, headers, body) in enumerate(requests):
        request = Request(method=method, path=path, headers=[tuple(pair) for pair in headers], body=bytes.fromhex(body))
        answer = application.ask(request, basic("bert", keys["bert"]))
        statuses[answer.status] = statuses.get(answer.status, 0) + 1
        # A file of the attacker's own shows what the attacker has written into it.
        own.add(request.body)
        if answer.body not in own and shows(answer, request, victim["mark"], victim["secret"]):
            shown.append([number, answer.status, answer.text[:300]])
        if victim["secret"] in answer.text:
            secret.append([number, answer.status, answer.text[:300]])
        if answer.status >= 500:
            failed.append([number, answer.status, answer.text[:300]])
    after = rows_of(victim)
    changed = [name for name in before if before[name] != after[name]]
    return {"shown": shown, "secret": secret, "failed": failed, "changed": changed, "statuses": statuses}


if __name__ == "__main__":
    known, file = json.loads(sys.argv[2]), Path(sys.argv[4])
    running = Application()
    if file.exists():
        sent = json.loads(file.read_text())
        print(json.dumps(attack(running, known, sent["victim"], sent["requests"])))
    else:
        print(json.dumps(build(running, known)))
