"""What a table of routes is made of: levels, kinds of object, where a request names one, rules and routes.

A table is data that reads like the products' documentation::

    rest("GET", "/mlflow/runs/get", reads(Kind.RUN, "run_id", also=("run_uuid",)))
    rest("POST", "/mlflow/runs/create", edits(Kind.EXPERIMENT, "experiment_id") & tags("tags[]"))
    rest("GET", "/mlflow/experiments/search", MEMBER.listing(Kind.EXPERIMENT))
    rest("GET", "/mlflow/webhooks", refused("webhooks make the server connect to any address"))
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum, IntEnum, StrEnum


class Level(IntEnum):
    """Permissions of the plugin, ordered; each includes those below it. Release 3.6.0 has no USE."""

    NONE = 0
    READ = 1
    USE = 2
    EDIT = 3
    MANAGE = 4


class Kind(StrEnum):
    """Kinds of object that a request can name; a version is named by its model, a prompt is a registered model."""

    EXPERIMENT = "experiment"
    EXPERIMENT_NAME = "experiment, by its name"
    RUN = "run"
    LOGGED_MODEL = "logged model"
    TRACE = "trace"
    ASSESSMENT = "assessment of a trace"
    REGISTERED_MODEL = "registered model or prompt"
    DATASET = "evaluation data set"
    ARTIFACT = "path below the artifact root"
    SCORER = "scorer"
    GATEWAY_ENDPOINT = "gateway endpoint"
    GATEWAY_SECRET = "gateway secret"  # noqa: S105, a kind of object
    GATEWAY_MODEL_DEFINITION = "gateway model definition"
    SCORER_MODEL = "gateway endpoint of the scorer"
    USER = "user"
    GROUP = "group"
    WORKSPACE = "workspace"
    JOB = "job"
    ISSUE = "issue"
    LABEL_SCHEMA = "label schema"
    REVIEW_QUEUE = "review queue"
    MCP_SERVER = "MCP server"


class Where(StrEnum):
    """Where a field stands."""

    REQUEST = "query of GET, body of the other methods"
    PATH = "path"
    QUERY = "query"
    BODY = "body"
    HEADER = "header"


@dataclass(frozen=True, slots=True)
class Field:
    """Where a request names something.

    ``path`` descends into the body: ``info.trace_id``; ``[]`` takes every item of a list: ``models[].model_id``.
    ``also`` are other spellings that the application reads as this one; all that are present must be equal.
    """

    path: str
    where: Where = Where.REQUEST
    also: tuple[str, ...] = ()

    @property
    def spellings(self) -> tuple[str, ...]:
        return (self.path, *self.also)


@dataclass(frozen=True, slots=True)
class Need:
    """The level that the caller must have of every object that ``field`` names.

    ``optional`` lets the field be absent; otherwise such a request is refused.
    """

    level: Level
    kind: Kind
    field: Field
    optional: bool = False


class Form(StrEnum):
    """Forms that a value must have, because the server believes it."""

    ARTIFACT_LOCATION = "location that the caller may write"
    SOURCE = "location that the caller may read"
    TAG = "tag that the server does not believe, or with a value that the caller may set"
    NEW_TAG = "tag of a new registered model or version, which may say that it is a prompt"
    TAG_KEY = "key of a tag that may be deleted"
    NEW_TRACE_ID = "trace id as MLflow creates it; that of an existing trace takes EDIT of it"
    NEW_ASSESSMENT_ID = "id of no assessment, or of one of a trace that the caller may edit"
    RELATIVE_PATH = "path that stays below its folder"
    FILE_NAME = "path of a client's, whose last segment names a file"
    PART_COUNT = "parts of an upload, of which S3 takes 10,000"
    GRAPHQL = "GraphQL document, each field of which is in the table of GraphQL fields"
    OTLP = "spans of traces that the caller may write, with tags that the caller may set"
    SELF = "the caller's own user name"
    TRACE_STATUS = "how a trace ended, which must be said"
    NAMED = "text that must be there"
    REFERENCE = "things beside those that the request is about, which the caller may read, or use, if they exist"


@dataclass(frozen=True, slots=True)
class Value:
    """A field whose value must have ``form``; an absent or empty one has it."""

    form: Form
    field: Field
    kind: Kind | None = None
    """Of the things to which a ``REFERENCE`` leads."""


class Access(StrEnum):
    """Who may ask at all."""

    OPEN = "everybody"
    MEMBER = "any member"
    ADMINISTRATOR = "administrators"
    REFUSED = "refused"


class Decider(Enum):
    """Who decides about the objects named: ``serve``, or the plugin, which is asked after the request was read."""

    SERVE = "serve"
    PLUGIN = "plugin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What guards a route: who may ask, for what, and which rows of an answer's list they see.

    Administrators need no level, yet ``values`` hold for them, too, and nothing is served that is ``REFUSED``.
    """

    access: Access = Access.MEMBER
    needs: tuple[Need, ...] = ()
    any_of: bool = False
    """Whether exactly one of the ``needs`` must be named, instead of all."""
    values: tuple[Value, ...] = ()
    lists: frozenset[Kind] = frozenset()
    """Kinds of rows of which only those that the caller may read are shown."""
    by: Decider = Decider.SERVE
    lists_by: Decider = Decider.SERVE
    """Who excludes the other rows of ``lists``."""
    starts_work: bool = False
    """Whether a request that only needs READ still makes the server write, as one that starts a job does."""
    because: str = ""
    """Of a refused route, the reason that its answer gives."""
    is_absent: bool = False
    """Whether a refused route is one that the release does not have, and ``because`` what MLflow answers then."""

    def __and__(self, other: "Rule") -> "Rule":
        return replace(
            self,
            needs=self.needs + other.needs,
            values=self.values + other.values,
            lists=self.lists | other.lists,
        )

    def listing(self, *kinds: Kind) -> "Rule":
        """The same rule, whose answer shows only the rows of ``kinds`` that the caller may read."""
        return replace(self, lists=self.lists | frozenset(kinds))

    def starting_work(self) -> "Rule":
        """The same rule, of a request that makes the server write."""
        return replace(self, starts_work=True)

    def by_plugin(self, *, lists_by: Decider = Decider.PLUGIN) -> "Rule":
        """The same rule, of which the plugin decides about the objects named."""
        return replace(self, by=Decider.PLUGIN, lists_by=lists_by)


OPEN = Rule(access=Access.OPEN)
MEMBER = Rule()
ADMINISTRATOR = Rule(access=Access.ADMINISTRATOR)


def refused(because: str) -> Rule:
    """A route that no client and no page needs, and why it is not served."""
    return Rule(access=Access.REFUSED, because=because)


def absent(answer: str) -> Rule:
    """A route of later releases, to which newer clients turn to older routes only if they get ``answer`` with 404."""
    return Rule(access=Access.REFUSED, because=answer, is_absent=True)


def needs(
    level: Level,
    kind: Kind,
    path: str,
    *,
    where: Where = Where.REQUEST,
    also: Iterable[str] = (),
    optional: bool = False,
) -> Rule:
    """A member who has ``level`` of the object of ``kind`` that the field ``path`` names."""
    return Rule(needs=(Need(level, kind, Field(path, where, tuple(also)), optional),))


def reads(
    kind: Kind, path: str, *, where: Where = Where.REQUEST, also: Iterable[str] = (), optional: bool = False
) -> Rule:
    """``needs`` of READ."""
    return needs(Level.READ, kind, path, where=where, also=also, optional=optional)


def edits(
    kind: Kind, path: str, *, where: Where = Where.REQUEST, also: Iterable[str] = (), optional: bool = False
) -> Rule:
    """``needs`` of EDIT."""
    return needs(Level.EDIT, kind, path, where=where, also=also, optional=optional)


def manages(
    kind: Kind, path: str, *, where: Where = Where.REQUEST, also: Iterable[str] = (), optional: bool = False
) -> Rule:
    """``needs`` of MANAGE."""
    return needs(Level.MANAGE, kind, path, where=where, also=also, optional=optional)


def either(*rules: Rule) -> Rule:
    """Exactly one of the objects that ``rules`` need must be named, and its level is needed."""
    return Rule(needs=tuple(replace(need, optional=True) for rule in rules for need in rule.needs), any_of=True)


def has(form: Form, path: str, *, where: Where = Where.REQUEST, also: Iterable[str] = ()) -> Rule:
    """The field ``path`` must have ``form``."""
    return Rule(values=(Value(form, Field(path, where, tuple(also))),))


def tags(path: str, *, new: bool = False) -> Rule:
    """The objects with key and value, or the mapping, at ``path`` of the body must be tags that a caller may set.

    ``new`` are those of a registered model or version that the request creates.
    """
    return has(Form.NEW_TAG if new else Form.TAG, path, where=Where.BODY)


class Body(StrEnum):
    """What a request may carry beside its head."""

    NONE = "nothing"
    JSON = "one JSON object, UTF-8, application/json"
    FILE = "anything, not looked at"
    OTLP = "spans, as OpenTelemetry's protocol has them"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One row of a table: the same handler under one or more paths, with some methods.

    Paths have Flask's variables: ``<name>`` is one segment, ``<path:name>`` one or more.
    GET stands for HEAD, too.
    """

    methods: frozenset[str]
    paths: tuple[str, ...]
    rule: Rule
    body: Body


BOTH = ("/api", "/ajax-api")
"""MLflow serves most of its REST interface twice: for clients, and for pages."""
API, AJAX = ("/api",), ("/ajax-api",)


def route(methods: str, path: str | tuple[str, ...], rule: Rule, *, body: Body | None = None) -> Route:
    """A row; ``methods`` are separated by spaces. GET has no body, and other methods JSON, unless ``body`` is given."""
    names = frozenset(methods.split())
    paths = (path,) if isinstance(path, str) else path
    return Route(methods=names, paths=paths, rule=rule, body=body or (Body.NONE if names == {"GET"} else Body.JSON))


def rest(
    methods: str,
    path: str,
    rule: Rule,
    *,
    prefixes: tuple[str, ...] = BOTH,
    versions: tuple[str, ...] = ("2.0",),
    body: Body | None = None,
) -> Route:
    """A row of MLflow's REST interface; ``path`` follows prefix and version."""
    paths = tuple(f"{prefix}/{version}{path}" for prefix in prefixes for version in versions)
    return route(methods, paths, rule, body=body)
