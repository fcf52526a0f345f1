"""Keycloak's admin API as far as the directory asks it, which a test can have answer wrongly; no real one would."""

from collections.abc import Mapping
from typing import Any


class Stub:
    """An admin API that answers as ``answers`` says: JSON, a status, or the bytes of a body."""

    def __init__(self) -> None:
        self.users: dict[str, dict[str, Any]] = {}
        self.groups: dict[str, list[str]] = {"mlflow-users": [], "mlflow-admins": []}
        self.children: dict[str, list[str]] = {}
        self.spoiled: dict[str, Any] = {}
        self.asked: list[str] = []
        self.url = ""

    def add(self, name: str, *groups: str, email: str | None = None, enabled: bool = True) -> None:
        self.users[name] = {"id": name, "username": name, "email": email or f"{name}@example.com", "enabled": enabled}
        for group in groups:
            self.groups.setdefault(group, []).append(name)

    def answer(self, path: str, query: Mapping[str, str]) -> Any:
        self.asked.append(path)
        for begin, spoiled in self.spoiled.items():
            if path.startswith(begin):
                return spoiled
        match path.split("/"):
            case ["group-by-path", *names]:
                name = "/".join(names)
                # A slash would end the id in the path of a request.
                return {"id": name.replace("/", "~")} if name in self.groups else 404
            case ["groups", group, "members"]:
                return self._page([self.users[name] for name in self.groups[group.replace("~", "/")]], query)
            case ["groups", group, "children"]:
                return self._page([{"id": name} for name in self.children.get(group, [])], query)
            case ["users"]:
                field = "email" if "email" in query else "username"
                return self._page([one for one in self.users.values() if one[field] == query[field]], query)
            case ["users", user]:
                return self.users.get(user, 404)
            case ["users", user, "groups"]:
                found = [{"id": name, "path": f"/{name}"} for name, members in self.groups.items() if user in members]
                return self._page(found, query)
        return 404

    def _page(self, found: list[Any], query: Mapping[str, str]) -> list[Any]:
        first = int(query["first"])
        return found[first : first + int(query["max"])]
