"""Decides about a request: what it asks for, by its row, and whether the plugin's permissions grant that."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from mlflow_sso.authorization import forms, references, reserved_tags
from mlflow_sso.authorization.errors import RefusedError
from mlflow_sso.authorization.listing import Visible
from mlflow_sso.authorization.locations import Demand, Locations, shown
from mlflow_sso.authorization.matching import Match, Table
from mlflow_sso.authorization.objects import Objects, experiment_id
from mlflow_sso.authorization.otlp import read_spans
from mlflow_sso.authorization.reading import Headers, Request, leading, normal, read
from mlflow_sso.authorization.reserved_tags import Treatment
from mlflow_sso.authorization.rules import Access, Body, Decider, Form, Kind, Level, Need, Rule
from mlflow_sso.authorization.search_costs import refuse_costly_searches
from mlflow_sso.patches.user_names import folded


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
        wanted = self.wanted(caller, match, query=query, headers=headers, body=body)
        return self.allow(caller, match, wanted)

    def wanted(self, caller: Caller, match: Match, *, query: bytes, headers: Headers, body: bytes) -> Wanted:
        """What a request asks for, without asking a database; raises ``RefusedError`` if that cannot be told."""
        rule = match.route.rule
        if rule.access is Access.ADMINISTRATOR and not caller.is_admin:
            raise RefusedError("only administrators may do this")
        request = read(match, query=query, headers=headers, body=body, identities=self._identities)
        # Whoever decides: by the plugin 01 would have no grant of its own, and MLflow takes it for 1.
        for name in request.named("experiment_id"):
            experiment_id(name)
        demands, lists = list(self._demands(rule, request)), rule.lists
        believed = [demand for value in rule.values for demand in self._of_value(caller, value, request)]
        if match.body is Body.OTLP:
            believed += self._of_spans(request, body)
        is_graphql = any(value.form is Form.GRAPHQL for value in rule.values)
        fields = self._graphql(request.body) if is_graphql else ()
        for asked in fields:
            demands += self._demands(asked.rule, asked.request)
            lists |= asked.rule.lists
        refuse_costly_searches([request, *(asked.request for asked in fields)])
        return Wanted(tuple(demands), tuple(believed), lists)

    def allow(self, caller: Caller, match: Match, wanted: Wanted) -> Allowed:
        """Ask for the permissions; raises ``RefusedError`` if one is missing."""
        # ``wanted`` has judged the values by now, which hold for administrators, too.
        if caller.is_admin:
            return Allowed(caller)
        self.check(caller, wanted.believed)
        rule = match.route.rule
        if rule.by is Decider.SERVE:
            self.check(caller, wanted.demands)
        if rule.lists_by is Decider.PLUGIN:
            return Allowed(caller)
        return Allowed(caller, {kind: self._readable(caller, kind) for kind in wanted.lists})

    def follow(self, caller: Caller, location: str) -> None:
        """Raises ``RefusedError`` unless ``caller`` may read what lies at ``location``, which a row holds."""
        demands = self._locations.stored(location)
        if caller.is_admin:
            return
        try:
            self.check(caller, demands)
        except RefusedError:
            # The caller named another object, which has this location: the usual words would be about the wrong one.
            raise RefusedError(
                f"the stored location {shown(location)} is not served: it belongs to what the caller may not read"
            ) from None

    def _demands(self, rule: Rule, request: Request) -> Iterator[Demand]:
        named = [(need, request.values(need.field)) for need in rule.needs]
        _refuse_missing(rule, named)
        for need, values in named:
            for value in values:
                name = experiment_id(value) if need.kind is Kind.EXPERIMENT else value
                yield Demand(need.level, need.kind, name)

    def _of_value(self, caller: Caller, value: Any, request: Request) -> Iterator[Demand]:
        match value.form:
            case Form.ARTIFACT_LOCATION | Form.SOURCE:
                for location in request.values(value.field):
                    yield from self._locations.demands(value.form, location)
            case Form.TAG | Form.NEW_TAG:
                for key, text in forms.tags_in(request, value.field.path):
                    yield from self._of_tag(key, text, new=value.form is Form.NEW_TAG)
            case Form.TAG_KEY:
                for key in request.values(value.field):
                    reserved_tags.refuse_deletion(key)
            case Form.NEW_TRACE_ID:
                yield from changed(Kind.TRACE, [forms.trace_id(name) for name in request.values(value.field)])
            case Form.NEW_ASSESSMENT_ID:
                yield from changed(Kind.ASSESSMENT, request.values(value.field))
            case Form.SELF:
                named = [folded(name) for name in request.values(value.field)]
                if not caller.is_admin and named != [caller.username]:
                    raise RefusedError("only administrators may name another user than themselves here")
            case Form.RELATIVE_PATH:
                forms.refuse_other_paths(request.values(value.field))
            case Form.FILE_NAME:
                forms.refuse_folders(request.values(value.field))
            case Form.TRACE_STATUS:
                forms.refuse_other_states(request.values(value.field))
            case Form.NAMED if not request.values(value.field):
                raise RefusedError(f"{value.field.path} is missing", **INVALID)
            case Form.PART_COUNT:
                forms.refuse_many_parts(request.raw(value.field.path))
            case Form.REFERENCE:
                yield from references.demands(value, request)

    def _of_tag(self, key: object, value: object, *, new: bool = False) -> Iterator[Demand]:
        """What it takes to set a tag; raises ``RefusedError`` for one that no caller may set."""
        tag = reserved_tags.believed(key)
        if tag is None:
            return
        if not isinstance(value, str) or tag.treatment is Treatment.SERVER:
            raise RefusedError(f"the tag {key} is not for clients to set: {tag.because}")
        match tag.treatment:
            case Treatment.LOCATION:
                yield from self._locations.demands(Form.ARTIFACT_LOCATION, value)
            case Treatment.OBJECT if tag.kind is not None and value:
                yield Demand(Level.READ, tag.kind, value, if_there=True)
            case Treatment.KIND if not new:
                raise RefusedError(f"the tag {key} is set when the model is created, never later: {tag.because}")
            case Treatment.WORD | Treatment.KIND if value not in tag.words:
                raise RefusedError(f"the tag {key} is {' or '.join(sorted(tag.words))}: {tag.because}")

    def _of_spans(self, request: Request, body: bytes) -> Iterator[Demand]:
        types, encodings = (request.headers.get(name, ()) for name in ("content-type", "content-encoding"))
        spans = read_spans(body, content_types=types, encodings=encodings)
        for key, value in spans.tags:
            yield from self._of_tag(key, value)
        yield from changed(Kind.TRACE, sorted(spans.trace_ids))

    def require(self, caller: Caller, demands: Iterable[Demand]) -> None:
        """``check``, of which administrators need nothing."""
        if not caller.is_admin:
            self.check(caller, demands)

    def check(self, caller: Caller, demands: Iterable[Demand]) -> None:
        """Raises ``RefusedError`` unless ``caller`` has the level of each object."""
        by_kind: dict[Kind, dict[str, Demand]] = {}
        wanted = list(demands)
        for demand in wanted:
            strictest = by_kind.setdefault(demand.kind, {})
            # Two fields may name one object: the stricter level is asked for, once.
            strictest[demand.name] = _both(demand, strictest.get(demand.name, demand))
        for kind, strictest in by_kind.items():
            granted = self._granted(caller, kind, strictest)
            for name, demand in strictest.items():
                if granted[name] < demand.level:
                    raise RefusedError(
                        f"this needs the permission {demand.level.name} of the {kind.value} that it names"
                    )
        self._refuse_apart([demand for demand in wanted if demand.beside])

    def _refuse_apart(self, demands: Sequence[Demand]) -> None:
        for kind, beside in {(demand.kind, demand.beside or (demand.kind, demand.name)) for demand in demands}:
            names = [demand.name for demand in demands if (demand.kind, demand.beside) == (kind, beside)]
            found = set(self._objects.experiments(kind, names).values())
            place, name = beside
            if found and found != {self._objects.experiments(place, [name]).get(name)}:
                raise RefusedError(f"the {kind.value} that this names is of another experiment than the {place.value}")

    def _granted(self, caller: Caller, kind: Kind, wanted: Mapping[str, Demand]) -> Mapping[str, Level]:
        # Experiments take the longer way, on which an id such as 01 is refused.
        if kind in self._direct and kind is not Kind.EXPERIMENT:
            return self._permissions.levels(caller.username, kind, wanted)
        owners = self._objects.experiments(kind, wanted)
        experiments = {owner for several in owners.values() for owner in several}
        levels = self._permissions.levels(caller.username, Kind.EXPERIMENT, experiments) if experiments else {}
        return {name: _of_owners(demand, owners, levels) for name, demand in wanted.items()}

    def _readable(self, caller: Caller, kind: Kind) -> frozenset[str]:
        return self._permissions.readable(caller.username, kind if kind in DIRECT else Kind.EXPERIMENT)


def changed(kind: Kind, names: Iterable[str]) -> Iterator[Demand]:
    """Who gives a new thing the name of one that exists wants to change that."""
    return (Demand(Level.EDIT, kind, name, if_there=True) for name in names)


def _both(one: Demand, other: Demand) -> Demand:
    return replace(one, level=max(one.level, other.level), if_there=one.if_there and other.if_there)


def _of_owners(demand: Demand, owners: Mapping[str, Sequence[str]], levels: Mapping[str, Level]) -> Level:
    """The level of what belongs to several experiments: to read, one suffices, save of files; to change, all."""
    if demand.name not in owners:
        if demand.if_there or demand.kind is Kind.EXPERIMENT_NAME:
            # The answer to a name says that there is none, after which clients create it.
            return Level.MANAGE
        raise RefusedError(f"there is no such {demand.kind.value}", status=404, error_code="RESOURCE_DOES_NOT_EXIST")
    found = [levels[owner] for owner in owners[demand.name]] or [Level.NONE]
    return max(found) if demand.level <= Level.READ and demand.kind is not Kind.ARTIFACT else min(found)


def _refuse_missing(rule: Rule, named: Sequence[tuple[Need, Sequence[str]]]) -> None:
    if rule.any_of and sum(bool(values) for _, values in named) != 1:
        raise RefusedError(f"name exactly one of {', '.join(need.field.path for need, _ in named)}", **INVALID)
    for need, values in named:
        if not values and not need.optional:
            raise RefusedError(f"{need.field.path} is missing", **INVALID)


NO_IDENTITIES = frozenset({Form.TAG, Form.NEW_TAG, Form.TAG_KEY, Form.REFERENCE})
"""Forms of fields whose names stand for other things elsewhere."""
INVALID: Mapping[str, Any] = {"status": 400, "error_code": "INVALID_PARAMETER_VALUE"}


def identities(table: Table) -> frozenset[str]:
    """The names under which any route of ``table`` names objects, in every spelling the same."""
    rules = [route.rule for route in table.routes]
    fields = [need.field for rule in rules for need in rule.needs]
    fields += [value.field for rule in rules for value in rule.values if value.form not in NO_IDENTITIES]
    return frozenset(normal(leading(path)) for field in fields for path in field.spellings)
