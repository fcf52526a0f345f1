"""Deletes, renames and restores things under names that others knew; writes what those see and change, as JSON.

Arguments: the root of the Secrets and the access keys by user name.
"""

import json
import secrets
import sys
from typing import Any

from application import Answer, Application, Request, basic
from world import MLFLOW, PROMPT, User, World

from mlflow_sso.releases import installed

TEAM = "team"


class Story:
    """What anna, carl (who has a grant of anna's) and dora (who takes the name over) do with models and prompts."""

    def __init__(self, keys: dict[str, str]) -> None:
        self._application, self.wrong = Application(), list[Any]()
        self._users = {name: User(name, (basic(name, keys[name]),)) for name in ("anna", "bert", "carl", "dora")}

    def ask(self, user: str, method: str, path: str, body: Any = None) -> Answer:
        """One request."""
        return self._application.ask(Request.of(method, f"{MLFLOW}/{path}", body), *self._users[user].credentials)

    def expect(self, status: int, user: str, method: str, path: str, body: Any = None) -> None:
        """Note every other answer."""
        answer = self.ask(user, method, path, body)
        if answer.status != status:
            self.wrong.append([user, method, path, answer.status, answer.text[:200]])

    def take_over(self, kind: str, tags: Any, *, renamed: bool) -> None:
        """Whoever knew the model of the old name, its owner included, does not know the next of that name."""
        name = f"old{secrets.token_hex(4)}"
        self.expect(200, "anna", "POST", "registered-models/create", {"name": name, "tags": tags})
        grant = f"permissions/users/carl@example.com/{kind}/{name}"
        assert self.ask("anna", "POST", grant, {"permission": "MANAGE"}).status in (200, 201)
        if renamed:
            body = {"name": name, "new_name": f"{name}-new"}
            self.expect(200, "anna", "POST", "registered-models/rename", body)
            self.expect(200, "carl", "GET", f"registered-models/get?name={name}-new")
        else:
            self.expect(200, "anna", "DELETE", "registered-models/delete", {"name": name})
        self.expect(200, "dora", "POST", "registered-models/create", {"name": name, "tags": tags})
        for user in ("anna", "carl"):
            self.expect(403, user, "GET", f"registered-models/get?name={name}")
            self.expect(403, user, "DELETE", "registered-models/delete", {"name": name})

    def rename_what_only_a_group_has(self) -> None:
        """Its grant follows the model, and holds for no other."""
        from mlflow_oidc_auth.store import store

        name = f"old{secrets.token_hex(4)}"
        self.expect(200, "anna", "POST", "registered-models/create", {"name": name})
        store.populate_groups([TEAM])
        store.set_user_groups("carl@example.com", [TEAM])
        store.create_group_model_permission(TEAM, name, "MANAGE")
        store.wipe_registered_model_permissions(name)
        self.expect(200, "carl", "POST", "registered-models/rename", {"name": name, "new_name": f"{name}-new"})
        self.expect(200, "carl", "GET", f"registered-models/get?name={name}-new")
        self.expect(200, "dora", "POST", "registered-models/create", {"name": name})
        self.expect(403, "carl", "GET", f"registered-models/get?name={name}")

    def restore(self) -> None:
        """What anna has deleted is hers to restore, and its name is not free."""
        world = World(self._application, self._users["anna"])
        experiment, run = world.names["experiment"], world.names["run"]
        mine = World(self._application, self._users["bert"]).names["experiment"]
        self.expect(200, "anna", "POST", "experiments/delete", {"experiment_id": experiment})
        self.expect(403, "bert", "POST", "experiments/restore", {"experiment_id": experiment})
        self.expect(403, "bert", "POST", "runs/restore", {"run_id": run})
        self.expect(403, "bert", "GET", f"experiments/get-by-name?experiment_name={world.mark}")
        self.expect(403, "bert", "POST", "runs/search", {"experiment_ids": [experiment], "run_view_type": "ALL"})
        self.expect(400, "bert", "POST", "experiments/create", {"name": world.mark})
        self.expect(400, "bert", "POST", "experiments/update", {"experiment_id": mine, "new_name": world.mark})
        listed = self.ask("bert", "POST", "experiments/search", {"view_type": "DELETED_ONLY", "max_results": 100})
        if world.mark in listed.text:
            self.wrong.append(["deleted experiments are listed", listed.text[:200]])
        self.expect(200, "anna", "POST", "experiments/restore", {"experiment_id": experiment})


def main() -> None:
    """All of it."""
    story = Story(json.loads(sys.argv[2]))
    for kind, tags in (("registered-models", []), ("prompts", PROMPT)):
        for renamed in (False, True):
            story.take_over(kind, tags, renamed=renamed)
    if installed().mlflow == "3.6.0":
        story.rename_what_only_a_group_has()
    story.restore()
    print(json.dumps(story.wrong))


if __name__ == "__main__":
    main()
