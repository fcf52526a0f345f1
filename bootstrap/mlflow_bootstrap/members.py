"""The members of our groups, as a table and as JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A user of the realm and those of our groups that it is in."""

    name: str
    email: str | None
    enabled: bool
    groups: tuple[str, ...]


def table(users: Sequence[User]) -> str:
    """A line for each user: name, e-mail, groups, and whether it is disabled."""
    if not users:
        return "no user is in a group of this environment; add one by `bootstrap.py add-user-to-group USER GROUP`"
    return "\n".join(_line(user) for user in users)


def _line(user: User) -> str:
    state = "" if user.enabled else "  (disabled)"
    # The plugin takes the e-mail for the user's name, and refuses a login without one.
    return f"{user.name}  {user.email or 'no e-mail: may not log in'}  {', '.join(user.groups)}{state}"


def document(users: Sequence[User]) -> str:
    """The same as a JSON list."""
    return json.dumps([asdict(user) for user in users], indent=2)
