"""Asks every route about one's own things, one of which is another's; writes what that showed or changed, as JSON.

Arguments: the root of the Secrets and the access keys by user name.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from application import Application, Request, basic
from digest import rows_of
from extras import extras, routes
from matrix import Case, cases
from world import User, World, shows


def mixed(case: Case, mine: Mapping[str, str], theirs: Mapping[str, str]) -> Iterator[Request]:
    """The request with one of its names replaced, or with another beside it where there may be several."""
    body, path = case.request.body.decode("latin-1"), case.request.path
    for name, own in mine.items():
        other = theirs[name]
        for text in _replaced(body, json.dumps(own), json.dumps(other)):
            yield replace(case.request, body=text.encode())
        for text in _replaced(body, own, other):
            yield replace(case.request, body=text.encode())
        for text in _replaced(path, quote(own, safe=""), quote(other, safe="")):
            yield replace(case.request, path=text)
        pair, doubled = f"={quote(own, safe='')}", [(own, other), (other, own)]
        for first, second in doubled:
            if f"[{json.dumps(own)}]" in body:
                both = f"[{json.dumps(first)}, {json.dumps(second)}]"
                yield replace(case.request, body=body.replace(f"[{json.dumps(own)}]", both, 1).encode())
        parts = path.partition("?")[2].split("&")
        field = next((part.partition("=")[0] for part in parts if part.endswith(pair)), None)
        if field:
            yield replace(case.request, path=f"{path}&{field}={quote(other, safe='')}")


def _replaced(text: str, own: str, other: str) -> Iterator[str]:
    """``text`` with one occurrence after the other replaced."""
    place = text.find(own)
    while place >= 0:
        yield text[:place] + other + text[place + len(own) :]
        place = text.find(own, place + 1)


def main() -> None:
    """As bert, who has a world of the same kind as anna."""
    keys, application = json.loads(sys.argv[2]), Application()
    users = {name: User(name, (basic(name, keys[name]),)) for name in ("anna", "bert")}
    worlds = {name: World(application, user) for name, user in users.items()}
    mine, theirs = worlds["bert"].names, worlds["anna"].names
    # Both consist of names that are replaced as well.
    names = {name: value for name, value in mine.items() if name not in ("folder", "experiment_name")}
    wrong, before, asked = list[Any](), rows_of(theirs), set[tuple[str, str, bytes]]()
    for row in routes():
        for case in cases(row, mine | {"other": mine["experiment"]}, extras(mine), every_path=False):
            for request in mixed(case, names, theirs):
                key = (request.method, request.path, request.body)
                if key in asked:
                    continue
                asked.add(key)
                answer = application.ask(request, *users["bert"].credentials)
                shown = shows(answer, request, worlds["anna"].mark, worlds["anna"].secret)
                # Refused requests change nothing, which the table of requests by role shows.
                after = rows_of(theirs) if answer.status < 400 and request.method != "GET" else before
                changed = [name for name in before if before[name] != after[name]]
                if shown or changed or answer.status >= 500:
                    wrong.append([*map(str, key), answer.status, shown, changed, answer.text[:200]])
                before = after
    print(json.dumps({"wrong": wrong, "asked": len(asked)}))


if __name__ == "__main__":
    main()
