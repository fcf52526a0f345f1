"""Decides about a request: what it asks for, by its row, and whether the plugin's permissions grant that."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from mlflow_sso.authorization import forms
from mlflow_sso.authorization.errors import RefusedError
from mlflow_sso.authorization.listing import Visible
from mlflow_sso.authorization.locations import Demand, Locations
from mlflow_sso.authorization.matching import Match, Table
from mlflow_sso.authorization.objects import Objects
from mlflow_sso.authorization.reading import Headers, Request, leading, normal, read
from mlflow_sso.authorization.rules import Access, Decider, Form, Kind, Level, Need, Rule


@dataclass(frozen=True, slots=True)
class Caller:
    """Who has logged in."""

    username: str
    is_admin: bool


@dataclass(frozen=True, slots=True)
class Allowed:
    """Passes a request on; while it is answered, lists show only what is ``visible``."""

    caller: Caller | None
    visible: Visible = field(default_factory=dict)


class Permissions(Protocol):
    """The plugin's own permissions, asked for many objects at once.

    ``kind`` is EXPERIMENT or REGISTERED_MODEL, or another one that the plugin keeps permissions of.
    """

    def levels(self, username: str, kind: Kind, names: Iterable[str]) -> Mapping[str, Level]:
        """The level that ``username`` has of each of ``names``."""
        ...

    def readable(self, username: str, kind: Kind) -> frozenset[str]:
        """Everything of ``kind`` that ``username`` may read."""
        ...


class AskedField(Protocol):
    """A root field of a GraphQL document."""

    @property
    def rule(self) -> Rule:
        """What guards it, as it guards the REST twin."""
        ...

    @property
    def request(self) -> Request:
        """Its arguments, as if they were the body of the REST twin."""
        ...


GraphqlReader = Callable[[Mapping[str, Any]], Sequence[AskedField]]
"""The root fields of a document; raises ``RefusedError``."""

DIRECT = frozenset({Kind.EXPERIMENT, Kind.REGISTERED_MODEL})
"""Kinds of which the plugin itself keeps permissions; the others are those of their experiments."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a request asks for."""

    demands: tuple[Demand, ...]
    believed: tuple[Demand, ...]
    """What it takes to have the server believe the values of the request; no plugin asks for that."""
    lists: frozenset[Kind]


class Decision:
    """What every release shares of the decision.

    ``direct`` are the kinds whose permissions the plugin keeps, and which ``permissions`` knows.
    """

    def __init__(
        self,
        table: Table,
        *,
        permissions: Permissions,
        objects: Objects,
        locations: Locations,
        graphql: GraphqlReader,
        direct: frozenset[Kind] = DIRECT,
    ) -> None:
        self._permissions, self._objects = permissions, objects
        self._locations, self._graphql, self._direct = locations, graphql, direct
        self._identities = identities(table)

    def decide(self, caller: Caller, match: Match, *, query: bytes, headers: Headers, body: bytes) -> Allowed:
        """Raises ``RefusedError`` if the request is ambiguous or asks for more than the caller may."""
        rule = match.route.rule
        if rule.access is Access.ADMINISTRATOR and not caller.is_admin:
            raise RefusedError("only administrators may do this")
        wanted = self.wanted(caller, match, query=query, headers=headers, body=body)
        if caller.is_admin:
            return Allowed(caller)
        self.check(caller, wanted.believed)
        if rule.by is Decider.SERVE:
            self.check(caller, wanted.demands)
        if rule.lists_by is Decider.PLUGIN:
            return Allowed(caller)
        return Allowed(caller, {kind: self._readable(caller, kind) for kind in wanted.lists})

    def wanted(self, caller: Caller, match: Match, *, query: bytes, headers: Headers, body: bytes) -> Wanted:
        """What a request asks for; raises ``RefusedError`` if that cannot be told."""
        request = read(match, query=query, headers=headers, body=body, identities=self._identities)
        rule = match.route.rule
        demands, lists = list(self._demands(rule, request)), rule.lists
        believed = [demand for value in rule.values for demand in self._of_value(caller, value, request)]
        if any(value.form is Form.GRAPHQL for value in rule.values):
            for asked in self._graphql(request.body):
                demands += self._demands(asked.rule, asked.request)
                lists |= asked.rule.lists
        return Wanted(tuple(demands), tuple(believed), lists)

    def _demands(self, rule: Rule, request: Request) -> Iterator[Demand]:
        named = [(need, request.values(need.field)) for need in rule.needs]
        _refuse_missing(rule, named)
        for need, values in named:
            yield from (Demand(need.level, need.kind, value) for value in values)

    def _of_value(self, caller: Caller, value: Any, request: Request) -> Iterator[Demand]:
        match value.form:
            case Form.ARTIFACT_LOCATION | Form.SOURCE:
                for location in request.values(value.field):
                    yield from self._locations.demands(value.form, location)
            case Form.TAG:
                yield from self.of_tags(request, value.field.path)
            case Form.NEW_TRACE_ID:
                yield from self.existing(Kind.TRACE, [forms.trace_id(name) for name in request.values(value.field)])
            case Form.NEW_ASSESSMENT_ID:
                yield from self.existing(Kind.ASSESSMENT, request.values(value.field))
            case Form.SELF:
                if not caller.is_admin and request.values(value.field) != [caller.username]:
                    raise RefusedError("only administrators may name another user than themselves here")
            case Form.RELATIVE_PATH:
                forms.refuse_other_paths(request.values(value.field))

    def of_tags(self, request: Request, path: str) -> Iterator[Demand]:
        """What it takes to set the tags at ``path`` of the body; raises ``RefusedError`` for one that no caller may."""
        for location in forms.locations_in_tags(request, path):
            yield from self._locations.demands(Form.ARTIFACT_LOCATION, location)

    def existing(self, kind: Kind, names: Sequence[str]) -> Iterator[Demand]:
        """Who names what exists already wants to change it."""
        known = self._objects.experiments(kind, names) if names else {}
        return (Demand(Level.EDIT, kind, name) for name in known)

    def check(self, caller: Caller, demands: Iterable[Demand]) -> None:
        """Raises ``RefusedError`` unless ``caller`` has the level of each object."""
        by_kind: dict[Kind, dict[str, Level]] = {}
        for demand in demands:
            levels = by_kind.setdefault(demand.kind, {})
            levels[demand.name] = max(demand.level, levels.get(demand.name, Level.NONE))
        for kind, levels in by_kind.items():
            granted = self._granted(caller, kind, levels)
            for name, level in levels.items():
                if granted[name] < level:
                    raise RefusedError(f"this needs the permission {level.name} of the {kind.value} that it names")

    def _granted(self, caller: Caller, kind: Kind, wanted: Mapping[str, Level]) -> Mapping[str, Level]:
        if kind in self._direct and kind is not Kind.EXPERIMENT:
            return self._permissions.levels(caller.username, kind, wanted)
        owners = self._objects.experiments(kind, wanted)
        experiments = {owner for several in owners.values() for owner in several}
        levels = self._permissions.levels(caller.username, Kind.EXPERIMENT, experiments) if experiments else {}
        return {name: _of_owners(kind, name, level, owners, levels) for name, level in wanted.items()}

    def _readable(self, caller: Caller, kind: Kind) -> frozenset[str]:
        return self._permissions.readable(caller.username, kind if kind in DIRECT else Kind.EXPERIMENT)


def _of_owners(
    kind: Kind, name: str, wanted: Level, owners: Mapping[str, Sequence[str]], levels: Mapping[str, Level]
) -> Level:
    """The level of what belongs to several experiments: to read, one suffices; to change, all are needed."""
    if name not in owners:
        if kind is Kind.EXPERIMENT_NAME:
            # The answer says that there is none, after which clients create it.
            return Level.MANAGE
        raise RefusedError(f"there is no such {kind.value}", status=404, error_code="RESOURCE_DOES_NOT_EXIST")
    found = [levels[owner] for owner in owners[name]] or [Level.NONE]
    return max(found) if wanted <= Level.READ else min(found)


def _refuse_missing(rule: Rule, named: Sequence[tuple[Need, Sequence[str]]]) -> None:
    if rule.any_of and sum(bool(values) for _, values in named) != 1:
        raise RefusedError(f"name exactly one of {', '.join(need.field.path for need, _ in named)}", **INVALID)
    for need, values in named:
        if not values and not need.optional:
            raise RefusedError(f"{need.field.path} is missing", **INVALID)


INVALID: Mapping[str, Any] = {"status": 400, "error_code": "INVALID_PARAMETER_VALUE"}


def identities(table: Table) -> frozenset[str]:
    """The names under which any route of ``table`` names objects, in every spelling the same."""
    rules = [route.rule for route in table.routes]
    fields = [need.field for rule in rules for need in rule.needs]
    fields += [value.field for rule in rules for value in rule.values if value.form is not Form.TAG]
    return frozenset(normal(leading(path)) for field in fields for path in field.spellings)
