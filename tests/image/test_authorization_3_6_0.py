"""Release 3.6.0 serves its table of routes, to those who may, and asks the plugin's own permissions."""

import json
from typing import Any

import pytest
from serving import AS_SERVER, Site

pytestmark = [pytest.mark.servers, pytest.mark.parametrize("venv", ["3.6.0"], indirect=True)]

COMPARE = """
import json, re
import mlflow_sso.serve.application
from mlflow.server import app
from mlflow_oidc_auth.fastapi_app import app as outer
from mlflow_sso.authorization.matching import Table
from mlflow_sso.authorization.release_3_6_0 import TABLE
served = {(method, rule.rule.replace("<string:", "<")) for rule in app.url_map.iter_rules()
          for method in rule.methods - {"HEAD", "OPTIONS"}}
served |= {(method, route.path) for route in outer.router.routes for method in getattr(route, "methods", ())}
pairs = Table(row for row in TABLE.routes if not row.rule.is_absent).pairs
print(json.dumps({"unknown": sorted(served - pairs), "gone": sorted(pairs - served)}))
"""

FIELDS = """
import json
from mlflow.server import handlers
from mlflow_sso.authorization.matching import VARIABLE
from mlflow_sso.authorization.release_3_6_0 import TABLE
from mlflow_sso.authorization.reading import leading
endpoints = [(path, cls, method) for cls in handlers.HANDLERS
             for path, known, methods in handlers.get_endpoints(lambda asked, cls=cls: cls if asked is cls else None)
             for method in methods if known is cls]
unnamed = {}
for path, cls, method in endpoints:
    match = TABLE.find(method, VARIABLE.sub("x", path.replace("<string:", "<")))
    rule = match.route.rule
    fields = [need.field for need in rule.needs] + [value.field for value in rule.values]
    declared = {leading(name) for field in fields for name in field.spellings}
    names = {field.name for field in cls.DESCRIPTOR.fields
             if field.name.endswith(("_id", "_ids", "_uuid", "uri", "source"))
             or field.name in ("name", "artifact_location", "path", "models", "locations", "trace", "assessment")}
    if rule.access.value == "any member" and (left := names - declared - set(match.variables)):
        unnamed[cls.__name__] = sorted(left)
print(json.dumps(unnamed))
"""

NOT_OBJECTS = {
    "CreateExperiment": ["name"],
    "CreateRun": ["user_id"],
    "CreateRegisteredModel": ["deployment_job_id", "name"],
    "UpdateRegisteredModel": ["deployment_job_id"],
    "CreateLoggedModel": ["name"],
    "CreateDataset": ["name", "source"],
    "RegisterScorer": ["name"],
    "ListScorerVersions": ["name"],
    "GetScorer": ["name"],
    "DeleteScorer": ["name"],
    "DeleteTraces": ["request_ids"],
    "DeleteTracesV3": ["request_ids"],
}
"""Fields that look like names of objects: new names, and those of parts of what the row names."""

SAME_PERMISSIONS = """
import json, random
import mlflow_sso.serve.application
from mlflow.server.handlers import _get_model_registry_store, _get_tracking_store
from mlflow_oidc_auth.config import config
from mlflow_oidc_auth.store import store
from mlflow_oidc_auth.utils import permissions as plugin
from mlflow_sso.authorization.release_3_6_0.permissions import LEVELS, PluginPermissions
from mlflow_sso.authorization.rules import Kind
chance = random.Random(36)
tracking, registry = _get_tracking_store(), _get_model_registry_store()
ours = PluginPermissions(store=store, config=config, tracking=tracking.ManagedSessionMaker,
                         registry=registry.ManagedSessionMaker)
names = [f"{letter}{number}-{chance.random()}" for letter in "ab" for number in range(8)]
ids = [tracking.create_experiment(name) for name in names]
for name in names:
    registry.create_registered_model(name)
users, groups, kinds = ["u0@x", "u1@x", "u2@x"], ["g0", "g1", "g2"], list(LEVELS)
for user in users:
    store.create_user(user, "unused", user)
store.populate_groups(groups)
for user in users:
    store.set_user_groups(user, chance.sample(groups, chance.randint(0, 3)))
pick = lambda: chance.choice(kinds)
for user in users:
    for item in chance.sample(ids, 5):
        store.create_experiment_permission(item, user, pick())
    for item in chance.sample(names, 5):
        store.create_registered_model_permission(item, user, pick())
for group in groups:
    for item in chance.sample(ids, 6):
        store.create_group_experiment_permission(group, item, pick())
    for item in chance.sample(names, 6):
        store.create_group_model_permission(group, item, pick())
for priority, regex in enumerate(("a[0-3]", "b", ".*7", "^a")):
    for user in chance.sample(users, 2):
        store.create_experiment_regex_permission(regex, priority, pick(), user)
        store.create_registered_model_regex_permission(regex, priority, pick(), user)
        store.create_prompt_regex_permission(regex=regex, priority=priority, permission=pick(), username=user)
    for group in chance.sample(groups, 2):
        store.create_group_experiment_regex_permission(group, regex, priority, pick())
        store.create_group_registered_model_regex_permission(group, regex, priority, pick())
orders = ["user,group,regex,group-regex", "group-regex,regex,group,user", "regex,user", "group", "user,wrong,regex"]
different = []
for order in orders:
    config.PERMISSION_SOURCE_ORDER = order.split(",")
    for config.DEFAULT_MLFLOW_PERMISSION in ("NO_PERMISSIONS", "READ"):
        for user in (*users, "unknown@x"):
            for kind, items, ask in (
                (Kind.EXPERIMENT, [*ids, "99999"], plugin.effective_experiment_permission),
                (Kind.REGISTERED_MODEL, [*names, "none"], plugin.effective_registered_model_permission),
            ):
                theirs = {item: LEVELS[ask(item, user).permission.name] for item in items}
                found = ours.levels(user, kind, items)
                single = {item: ours.levels(user, kind, [item])[item] for item in items}
                readable = ours.readable(user, kind) & set(items)
                if found != theirs or single != theirs or readable != {i for i in items[:-1] if theirs[i] >= 1}:
                    different.append([order, config.DEFAULT_MLFLOW_PERMISSION, user, kind])
print(json.dumps(different))
"""

LISTS = """
import json, random
import mlflow_sso.serve.application
from mlflow.server.handlers import _get_model_registry_store, _get_tracking_store
from mlflow_sso.authorization.listing import only
from mlflow_sso.authorization.rules import Kind
from sqlalchemy import event
chance = random.Random(17)
tracking, registry = _get_tracking_store(), _get_model_registry_store()
mark = f"list-{chance.random()}-"
ids = [tracking.create_experiment(f"{mark}{number:03}") for number in range(60)]
names = [f"{mark}{number:03}" for number in range(60)]
for name, number in zip(names, ids):
    registry.create_registered_model(name)
    registry.create_model_version(name, "mlflow-artifacts:/1/x")
    tracking.create_dataset(name, experiment_ids=[number])
lists = {
    Kind.EXPERIMENT: (ids, lambda e: e.experiment_id, lambda **page: tracking.search_experiments(
        filter_string=f"name LIKE '{mark}%'", **page)),
    Kind.REGISTERED_MODEL: (names, lambda m: m.name, lambda **page: registry.search_registered_models(
        filter_string=f"name LIKE '{mark}%'", **page)),
    "versions": (names, lambda v: v.name, lambda **page: registry.search_model_versions(
        filter_string=f"name LIKE '{mark}%'", **page)),
    Kind.DATASET: (ids, lambda d: d.experiment_ids[0], lambda **page: tracking.search_datasets(
        filter_string=f"name LIKE '{mark}%'", **page)),
}
statements = []
for engine in {tracking.engine, registry.engine}:
    event.listen(engine, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))
wrong = []
for kind, (every, name_of, search) in lists.items():
    plain = [name_of(row) for row in search(max_results=1000)]
    assert sorted(plain) == sorted(every), kind
    statements.clear()
    search(max_results=7)
    usual, counts = len(statements), set()
    for size in (0, 1, 7, 59, 60):
        granted = frozenset(chance.sample(every, size))
        with only({Kind.REGISTERED_MODEL if kind == "versions" else kind: granted}):
            seen, token = [], None
            while True:
                statements.clear()
                page = search(max_results=7, page_token=token)
                counts.add(len(statements))
                seen, token = seen + [name_of(row) for row in page], page.token
                if not token:
                    break
        if seen != [name for name in plain if name in granted] or max(counts) > usual:
            wrong.append([str(kind), size, len(seen), sorted(counts), usual])
print(json.dumps(wrong))
"""


def run_as_server(site: Site, script: str) -> Any:
    """What a script prints that sees what the server sees."""
    done = site.pod.script(AS_SERVER + script, str(site.pod.secrets_root))
    assert done.code == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_table_is_what_application_serves(site: Site) -> None:
    assert run_as_server(site, COMPARE) == {"unknown": [], "gone": []}


def test_table_names_every_object_field(site: Site) -> None:
    assert run_as_server(site, FIELDS) == NOT_OBJECTS


def test_permissions_are_plugins(site: Site) -> None:
    assert run_as_server(site, SAME_PERMISSIONS) == []


def test_lists_are_plain_mlflows_without_rest(site: Site) -> None:
    assert run_as_server(site, LISTS) == []
