"""Sends every request as every role to a place of that role's own, and lays the answers out as a table."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
from people import Member, join, join_as_admin, new_client
from places import grant, make_place
from row import MLFLOW, Level, Row

from testbed.system import System

PERMISSIONS = ("READ", "EDIT", "MANAGE")
WIDTH = 10


@dataclass(frozen=True, kw_only=True)
class Role:
    """Somebody who asks, and the place that the requests go to."""

    name: str
    level: Level
    client: httpx.Client
    place: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Cell:
    """What came of one request."""

    row: Row
    role: Role
    status: int
    served: bool

    def __str__(self) -> str:
        return "yes" if self.served else f"no {self.status}"


def roles(system: System) -> list[Role]:
    """Nobody in particular, a member without a grant, one for each permission, and an administrator."""
    owner, third, admin = join(system), join(system), join_as_admin(system)
    members = {name: join(system) for name in ("no grant", *PERMISSIONS)}
    others = {"third": third.email, "fourth": admin.email}
    strangers = [
        _role("anonymous", Level.ANYBODY, new_client(system), owner, others),
        _role("no grant", Level.MEMBER, members["no grant"].http, owner, others),
        _role("admin", Level.ADMIN, admin.http, owner, others),
    ]
    granted = [
        _role(name, Level[name], members[name].http, owner, others, holder=members[name]) for name in PERMISSIONS
    ]
    return sorted((*strangers, *granted), key=lambda role: role.level)


def _role(
    name: str,
    level: Level,
    client: httpx.Client,
    owner: Member,
    others: Mapping[str, str],
    *,
    holder: Member | None = None,
) -> Role:
    place = {**make_place(owner.http), **others, "role": name.replace(" ", "."), "holder": (holder or owner).email}
    if holder:
        grant(owner.http, place, holder.email, name)
    # For the rows that name something of one's own beside another's.
    place["own"] = f"{place['secret']}-own"
    client.post(f"{MLFLOW}/registered-models/create", json={"name": place["own"]})
    place["own_experiment"] = _made(client, "experiments/create", "experiment_id", name=place["own"])
    place["own_run"] = _made(client, "runs/create", "run_id", experiment_id=place["own_experiment"])
    return Role(name=name, level=level, client=client, place=place)


def _made(client: httpx.Client, path: str, key: str, **body: str) -> str:
    """Identifier of what the role itself has made; anonymous requests create nothing."""
    found = re.search(rf'"{key}": *"(\w+)"', client.post(f"{MLFLOW}/{path}", json=body).text)
    return found[1] if found else "none"


def fill(rows: Sequence[Row], roles: Iterable[Role]) -> list[Cell]:
    """Every row for every role, each role from the first row to the last."""
    return [_ask(row, role) for role in roles for row in rows]


def _ask(row: Row, role: Role) -> Cell:
    body = None if row.body is None else _filled(row.body, role.place)
    answer = role.client.request(row.method, row.path.format_map(role.place), json=body)
    # The login page is no answer, though 3.6.0 sends it with 200.
    content = answer.headers.get("content-type", "")
    served = answer.status_code < 300 and not (content.startswith("text/html") and "<html" in answer.text)
    shown = row.shows.format_map(role.place) in answer.text
    return Cell(row=row, role=role, status=answer.status_code, served=served and shown)


def _filled(value: Any, place: Mapping[str, str]) -> Any:
    match value:
        case str():
            return value.format_map(place)
        case Mapping():
            return {key: _filled(item, place) for key, item in value.items()}
        case list():
            return [_filled(item, place) for item in value]
        case _:
            return value


def laid_out(cells: Sequence[Cell], holes: Mapping[str, Level]) -> str:
    """The table as text, a row a request; ``!`` marks who is served though the permission is missing."""
    names = list(dict.fromkeys(cell.role.name for cell in cells))
    rows = list(dict.fromkeys(cell.row.name for cell in cells))
    found = {(cell.row.name, cell.role.name): cell for cell in cells}
    head = f"{'request':44}{'needs':9}" + "".join(f"{name:{WIDTH}}" for name in names)
    lines = [_line(row, [found[row, name] for name in names], known=row in holes) for row in rows]
    return "\n".join([head, *lines])


def _line(name: str, cells: Sequence[Cell], *, known: bool) -> str:
    marked = (f"{cell}!" if cell.served and cell.role.level < cell.row.needs else str(cell) for cell in cells)
    row = f"{name:44}{cells[0].row.needs.name.lower():9}" + "".join(f"{text:{WIDTH}}" for text in marked)
    return f"{row}{'known hole' if known else ''}".rstrip()


def differences(cells: Iterable[Cell], expected: Mapping[str, Level]) -> list[str]:
    """A line for each cell that is not as ``expected``, which names the least role that each request serves."""
    return [
        f"{cell.row.name} as {cell.role.name}: {cell}, not expected"
        for cell in cells
        if cell.served != (cell.role.level >= expected[cell.row.name])
    ]
