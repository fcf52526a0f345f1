"""Compares each page of a member's lists with MLflow's answer to an administrator minus what the plugin does not grant.

Arguments: the root of the Secrets and the access keys by user name. Writes differences as JSON.
"""

import json
import random
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlencode

from application import Application, Request, basic
from count_statements import forget
from world import MLFLOW, THIRD

from mlflow_sso.releases import installed

ROUNDS = 12
PERMISSIONS = ("READ", "EDIT", "MANAGE", "NO_PERMISSIONS")
EXPERIMENT_PATTERNS = ("team-[0-3]/", "team-1/.*", ".*7$", "^team-2", ".*")
MODEL_PATTERNS = ("team-[0-3][.]", "team-1[.].*", ".*7$", "^team-2", ".*")
Row = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Search:
    """A list: how it is asked, where its rows are, and of which experiments or of which model each is."""

    name: str
    path: str
    rows: str
    orders: tuple[list[Any], ...]
    filters: tuple[str, ...]
    of: Callable[[Row], list[str]]
    is_model: bool = False
    is_get: bool = False
    needs_experiments: bool = False

    def request(self, page: int, token: str, order: list[Any], text: str, experiments: list[str]) -> Request:
        fields = {"max_results": page, "page_token": token, "order_by": order, "filter": text}
        key = "filter_string" if self.rows == "datasets" else "filter"
        asked = {key if name == "filter" else name: value for name, value in fields.items() if value}
        if self.needs_experiments:
            asked["experiment_ids"] = experiments
        if self.is_get:
            return Request.of("GET", f"{self.path}?{urlencode(asked, doseq=True)}")
        return Request.of("POST", self.path, asked)


def searches(links: Mapping[str, list[str]]) -> Iterator[Search]:
    """All lists that come in pages; ``links`` are the experiments of each data set."""
    names = (["name DESC"], ["name ASC"], [])
    yield Search(
        name="experiments", path=f"{MLFLOW}/experiments/search", rows="experiments",
        of=lambda row: [row["experiment_id"]], orders=(*names, ["creation_time ASC"]),
        filters=("", "name LIKE 'team-1%'", "tags.owner = 'team-2'"),
    )  # fmt: skip
    prompts = "tags.`mlflow.prompt.is_prompt` = 'true'"
    yield Search(
        name="registered models", path=f"{MLFLOW}/registered-models/search", rows="registered_models", is_get=True,
        orders=names, filters=("", "name LIKE 'team-1%'", prompts), of=lambda row: [row["name"]], is_model=True,
    )  # fmt: skip
    yield Search(
        name="model versions", path=f"{MLFLOW}/model-versions/search", rows="model_versions", is_get=True,
        orders=(["name DESC", "version_number ASC"], []), filters=("", "name LIKE 'team-1%'"),
        of=lambda row: [row["name"]], is_model=True,
    )  # fmt: skip
    yield Search(
        name="data sets", path=f"{THIRD}/datasets/search", rows="datasets", needs_experiments=True,
        orders=(["name ASC"], []), filters=("",), of=lambda row: links[row["dataset_id"]],
    )  # fmt: skip
    if installed().mlflow == "3.17.2":
        # Release 3.6.0 wants READ of every experiment that is asked for, and excludes no row.
        yield Search(
            name="logged models", path=f"{MLFLOW}/logged-models/search", rows="models", needs_experiments=True,
            orders=([], [{"field_name": "name", "ascending": True}]), filters=("",),
            of=lambda row: [row["info"]["experiment_id"]],
        )  # fmt: skip


class Pages:
    """Asks as an administrator and as a member."""

    def __init__(self, keys: Mapping[str, str], chance: random.Random) -> None:
        self._application, self._chance = Application(), chance
        self._credentials = {name: basic(name, keys[name]) for name in ("anna", "bert")}

    def answer(self, user: str, request: Request) -> Mapping[str, Any]:
        answer = self._application.ask(request, self._credentials[user])
        assert answer.status == 200, (request, answer.status, answer.text[:300])
        content: Mapping[str, Any] = answer.json()
        return content

    def all(self, user: str, search: Search, page: int, *asked: Any) -> list[list[Row]]:
        """The rows of each page, until there is no token."""
        token, pages = "", list[list[Row]]()
        # Where a token leads to the first page again, as plugin 5.6.1's does, this would never end.
        while len(pages) < 500:
            content = self.answer(user, search.request(page, token, *asked))
            pages.append(list(content.get(search.rows, ())))
            token = content.get("next_page_token", "")
            if not token:
                return pages
        raise AssertionError(f"{search.name} of {user} never ends")

    def differences(self, search: Search, may_read: Callable[[str], bool], experiments: list[str]) -> list[str]:
        """A line for each page that is not as it should be."""
        readable = [name for name in experiments if may_read(name)]
        asked_for = experiments if search.name == "logged models" else readable
        if search.needs_experiments and not asked_for:
            return []
        page = self._chance.choice((1, 3, 7, 25)) if len(experiments) < 100 else 25
        asked = (self._chance.choice(search.orders), self._chance.choice(search.filters), asked_for)
        (rows,) = self.all("anna", search, 1000, *asked)
        every = search.name == "data sets" and installed().mlflow == "3.17.2"
        shown = [row for row in rows if (all if every else any)(map(may_read, search.of(row)))]
        wanted = [shown[start : start + page] for start in range(0, len(shown), page)] or [[]]
        got = self.all("bert", search, page, *asked)
        if got == wanted:
            return []
        lengths = [len(rows) for rows in got], [len(rows) for rows in wanted]
        return [f"{search.name} by {page}, {asked[:2]}: {lengths}"]


def grant(store: Any, user: str, chance: random.Random, experiments: list[str], models: list[str]) -> None:
    """Other grants, patterns and groups than before."""
    from mlflow_oidc_auth.db import models as rows

    kinds = [name for name in dir(rows) if re.fullmatch("Sql(Experiment|RegisteredModel).*Permission", name)]
    with store.ManagedSessionMaker() as session:
        for kind in kinds:
            session.query(getattr(rows, kind)).delete()
    # Its caches know nothing of rows that are deleted behind them.
    forget()
    store.set_user_groups(user, chance.sample(["everything", "team-1"], chance.randint(0, 2)))
    few = chance.choice((0, 1, 5, 20))
    for name in chance.sample(experiments, few):
        store.create_experiment_permission(name, user, chance.choice(PERMISSIONS))
    for name in chance.sample(models, few):
        store.create_registered_model_permission(name, user, chance.choice(PERMISSIONS))
    for group in ("everything", "team-1"):
        for name in chance.sample(experiments, 6):
            store.create_group_experiment_permission(group, name, chance.choice(PERMISSIONS))
        for name in chance.sample(models, 6):
            store.create_group_model_permission(group, name, chance.choice(PERMISSIONS))
    for priority, place in enumerate(chance.sample(range(len(EXPERIMENT_PATTERNS)), chance.randint(0, 3))):
        experiment, model, permission = EXPERIMENT_PATTERNS[place], MODEL_PATTERNS[place], chance.choice(PERMISSIONS)
        store.create_experiment_regex_permission(experiment, priority, permission, user)
        store.create_group_experiment_regex_permission("team-1", experiment, priority, chance.choice(PERMISSIONS))
        store.create_registered_model_regex_permission(model, priority, permission, user)
        store.create_prompt_regex_permission(regex=model, priority=priority, permission="READ", username=user)


def reader(user: str, *, models: bool) -> Callable[[str], bool]:
    """What the plugin itself says, one object at a time."""
    from mlflow_oidc_auth.utils import permissions

    if not models:
        return lambda name: bool(permissions.effective_experiment_permission(name, user).permission.can_read)
    if installed().mlflow == "3.6.0":
        return lambda name: bool(permissions.effective_registered_model_permission(name, user).permission.can_read)
    from mlflow_oidc_auth.utils.prompt_kind import effective_registry_permission

    return lambda name: bool(effective_registry_permission(name, user).permission.can_read)


def main() -> None:
    """Several rounds of other grants."""
    # Seeded, so that a difference can be looked at again.
    chance = random.Random(17)
    pages = Pages(json.loads(sys.argv[2]), chance)
    from mlflow.server.handlers import _get_model_registry_store, _get_tracking_store
    from mlflow.store.tracking.dbmodels.models import SqlEntityAssociation
    from mlflow_oidc_auth.config import config
    from mlflow_oidc_auth.store import store

    user = "bert@example.com"
    experiments = [one.experiment_id for one in _get_tracking_store().search_experiments()]
    models = [one.name for one in _get_model_registry_store().search_registered_models(max_results=1000)]
    links: dict[str, list[str]] = {}
    with _get_tracking_store().ManagedSessionMaker() as session:
        for one in session.query(SqlEntityAssociation):
            links.setdefault(one.source_id, []).append(one.destination_id)
    found = []
    for number in range(ROUNDS):
        # Where everybody has READ, rows without any grant are shown, too.
        config.DEFAULT_MLFLOW_PERMISSION = "READ" if number % 4 == 3 else "NO_PERMISSIONS"
        grant(store, user, chance, experiments, models)
        # Grants stay as they are for the round, and so does what the plugin says of each object.
        readers = {is_model: cache(reader(user, models=is_model)) for is_model in (False, True)}
        for search in searches(links):
            lines = pages.differences(search, readers[search.is_model], experiments)
            found += [f"round {number}: {line}" for line in lines]
    print(json.dumps(found))


if __name__ == "__main__":
    main()
