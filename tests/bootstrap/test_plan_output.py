"""What a plan shows: values that differ and never a secret, plain counts, one line for an unreachable system."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import SecretStr

from mlflow_bootstrap import engine
from mlflow_bootstrap.credentials import Credentials
from mlflow_bootstrap.difference import Difference, Secrecy, State
from mlflow_bootstrap.engine import Change, Failure
from mlflow_bootstrap.errors import UnreachableError, UsageError
from mlflow_bootstrap.output import Format, Output
from mlflow_bootstrap.ownership import OWNER, owner_of
from mlflow_bootstrap.run import once
from mlflow_bootstrap.store.entries import EntryPlan, Field
from mlflow_bootstrap.store.entry import Entry, StoredEntry


@dataclass
class Thing:
    """A resource in memory; ``fails`` is what it raises when it is read."""

    address: str
    desired: State
    current: State | None = None
    fails: Exception | None = None
    depends_on: tuple[str, ...] = ()

    def read(self) -> State | None:
        """What it was given."""
        if self.fails:
            raise self.fails
        return self.current

    def create(self) -> None:
        """Become what is desired."""
        self.current = dict(self.desired)

    def update(self, current: State) -> None:
        """Become what is desired."""
        self.create()


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        (["https://a/callback"], ["https://b/callback"], "[https://a/callback] → [https://b/callback]"),
        (False, True, "false → true"),
        (None, "S256", "(none) → S256"),
        ("", 7, "(none) → 7"),
        ("two\nlines", "one", '"two\\nlines" → one'),
        # Raw, it would clear the reader's terminal.
        ("\x1b[2J", " x", '"\\u001b[2J" → " x"'),
        ({"a": [1]}, None, "{a: [1]} → (none)"),
        ([f"action-{n}" for n in range(40)], [f"action-{n}" for n in range(1, 41)], "-action-0, +action-40"),
        (SecretStr("of another"), SecretStr("ours"), "differs"),
        (None, SecretStr("ours"), "missing"),
        (SecretStr("theirs"), None, "differs"),
        (Secrecy.DIFFERS, Secrecy.RIGHT, "differs"),
        (None, Secrecy.RIGHT, "missing"),
    ],
)
def test_difference_shows_values_and_no_secret(before: Any, after: Any, line: str) -> None:
    difference = Difference("field", before, after)

    assert str(difference) == f"field: {line}"


def test_plan_shows_only_fields_that_differ() -> None:
    desired = {"uris": ["https://b/callback"], "data": {"one": SecretStr("1"), "two": SecretStr("2")}, "flow": True}
    current = {"uris": ["https://a/callback"], "data": {"one": SecretStr("1")}, "flow": True}
    thing = Thing("keycloak/client/mlflow", desired, current)

    (change,) = engine.plan([thing], report=_silent).changes

    assert (
        str(change) == "~ keycloak/client/mlflow uris: [https://a/callback] → [https://b/callback], data.two: missing"
    )


def _silent(_: Change | Failure) -> None:
    return None


@pytest.mark.parametrize(
    ("run", "done", "line"),
    [
        (engine.plan, False, "site: 1 to create, 1 to change, 1 unchanged"),
        (engine.apply, True, "site: 1 created, 1 changed, 1 unchanged"),
    ],
    ids=["plan", "apply"],
)
def test_summary_counts_in_plain_words(
    capsys: pytest.CaptureFixture[str], run: Callable[..., engine.Outcome], done: bool, line: str
) -> None:
    things = [Thing("a/b/new", {"x": 1}), Thing("a/b/old", {"x": 1}, {"x": 2}), Thing("a/b/right", {"x": 1}, {"x": 1})]

    Output(Format.TEXT).finish("site", run(things, report=_silent), done=done)

    assert capsys.readouterr().out == f"{line}\n"


def test_json_has_values_and_no_secret(capsys: pytest.CaptureFixture[str]) -> None:
    thing = Thing("a/b/c", {"x": 1, "secret": SecretStr("ours")}, {"x": 2, "secret": SecretStr("theirs")})

    Output(Format.JSON).finish("site", engine.plan([thing], report=_silent), done=False)

    assert json.loads(capsys.readouterr().out)["changes"] == [
        {
            "action": "update",
            "address": "a/b/c",
            "fields": ["x", "secret"],
            "differences": [
                {"field": "x", "before": 2, "after": 1},
                {"field": "secret", "hidden": "differs"},
            ],
            "note": "",
        }
    ]


def test_unreachable_system_is_one_line() -> None:
    said: list[str] = []
    report = once(lambda item: said.append(str(item)))

    def down() -> UnreachableError:
        return UnreachableError("cannot reach Vault at https://vault", remedy="open a tunnel")

    parts = [
        [Thing(f"secrets/vault/{name}", {}, fails=down()) for name in ("postgres", "s3")],
        [Thing("keycloak/client/mlflow", {}, fails=down()), Thing("keycloak/group/users", {}, {})],
    ]
    outcomes = [engine.plan(part, report=report) for part in parts]

    assert said == ["! secrets: cannot reach Vault at https://vault; open a tunnel", "= keycloak/group/users"]
    assert [len(outcome.failures) for outcome in outcomes] == [1, 1]


class MemoryStore:
    """A store in memory."""

    kind = "memory"

    def __init__(self, **entries: Entry) -> None:
        self.entries = dict(entries)

    def read(self, name: str) -> Entry | None:
        """The entry."""
        return self.entries.get(name)

    def write(self, name: str, values: Any, *, expected: Entry | None) -> None:
        """Replace it."""
        self.entries[name] = Entry(values, 1)

    def mark(self, name: str, marks: Any) -> None:
        """No mark is kept."""

    def restore(self, name: str, version: str) -> None:
        """No version is kept."""

    def delete(self, name: str) -> None:
        """Forget it."""
        self.entries.pop(name, None)


def _entry(store: MemoryStore, fields: Sequence[Field]) -> StoredEntry:
    plan = EntryPlan(name="oidc", fields=tuple(fields))
    return StoredEntry(store=store, plan=plan, credentials=Credentials(environ={}, ask=None), instance="mlflow")


def _no_login() -> SecretStr | None:
    raise UsageError("no password of Keycloak's user admin was given", remedy="set KEYCLOAK_ADMIN_PASSWORD")


@pytest.mark.parametrize(
    ("field", "said"),
    [
        (
            Field(name="client_secret", variable="X", find=_no_login, create=lambda: "new"),
            "set KEYCLOAK_ADMIN_PASSWORD",
        ),
        (Field(name="token", variable="MLFLOW_CLOUDFLARED_TOKEN"), "set MLFLOW_CLOUDFLARED_TOKEN"),
    ],
    ids=["no login", "no value"],
)
@pytest.mark.parametrize("present", [False, True], ids=["no entry", "entry lacks it"])
def test_plan_fails_as_apply_would(field: Field, said: str, present: bool) -> None:
    store = MemoryStore(**({"oidc": Entry({"other": "of others"}, 1, None)} if present else {}))
    entry = _entry(store, [field])

    planned, done = engine.plan([entry], report=_silent), engine.apply([entry], report=_silent)

    assert planned.changes == done.changes == ()
    assert [str(failure) for failure in planned.failures] == [str(failure) for failure in done.failures]
    assert said in str(planned.failures[0])


def test_entry_with_one_new_field_names_it() -> None:
    fields = [Field(name=name, variable="X", create=lambda: "made") for name in ("secret_key", "session_key")]
    entry = _entry(MemoryStore(oidc=Entry({"secret_key": "kept"}, 1, None)), fields)

    (change,) = engine.plan([entry], report=_silent).changes

    assert str(change) == "~ secrets/memory/oidc session_key: missing"


@pytest.mark.parametrize("run", [engine.plan, engine.apply], ids=["plan", "apply"])
def test_things_of_others_are_named_with_commands(
    capsys: pytest.CaptureFixture[str], run: Callable[..., engine.Outcome]
) -> None:
    output = Output(Format.TEXT)
    theirs = owner_of("mlflow-staging", "mlflow", setting="authentication.client_id")
    earlier = owner_of(None, "mlflow", setting="database.role", earlier=True)
    things = [
        Thing("keycloak/client/mlflow", {"uris": ["b"]}, {"uris": ["a"], OWNER: theirs}),
        Thing("postgres/role/mlflow", {"x": 1}, {"x": 1, OWNER: earlier}),
        Thing("keycloak/group/users", {}, {OWNER: owner_of("other", "mlflow", setting="x", usable=True)}),
    ]

    output.finish("site", run(things, report=output.report), done=False)

    said = capsys.readouterr()
    assert said.out.splitlines() == [
        "! keycloak/client/mlflow belongs to instance mlflow-staging (uris: [a] → [b]); "
        "take it over with --adopt keycloak/client/mlflow, or name another in authentication.client_id",
        "! postgres/role/mlflow belongs to an earlier release of bootstrap, which set no marks; "
        "take it over with --adopt-earlier, or name another in database.role",
        "= keycloak/group/users (used as it is, belongs to instance other)",
        "site: 1 unchanged, 2 of others",
    ]
    assert "apply --environment site --adopt keycloak/client/mlflow --adopt-earlier\n" in said.err
    assert things[0].current == {"uris": ["a"], OWNER: theirs}
