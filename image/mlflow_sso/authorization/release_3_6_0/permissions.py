"""The plugin's permissions of many objects in a constant number of statements.

mlflow-oidc-auth 5.6.1 asks up to four sources for one object, with a session and more each, in the order of
``PERMISSION_SOURCE_ORDER``: a grant to the user, the grants to the user's groups, the user's patterns, the groups'
patterns. Here each source is asked once for all objects; what comes of it is the same
(``utils/permissions.py``, ``repository/``).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from mlflow_sso.authorization.remembering import Remembered, in_thread
from mlflow_sso.authorization.rules import Kind, Level
from mlflow_sso.patterns import matches

LEVELS = {"NO_PERMISSIONS": Level.NONE, "READ": Level.READ, "EDIT": Level.EDIT, "MANAGE": Level.MANAGE}
FEW = 8
"""Names above which nothing is remembered: such requests are lists, each with other names."""
NARROW = 200
"""Names above which all of a user's grants are read, instead of those of the names."""

Grants = Mapping[str, str]
Patterns = Sequence[tuple[str, str]]
"""Regular expression and permission, in the order in which they are tried."""


@dataclass(frozen=True, slots=True)
class Source:
    """The tables of one kind."""

    user: Any
    group: Any
    user_patterns: Any
    group_patterns: Any
    key: str
    columns: Mapping[str, bool] = field(default_factory=dict)
    """What columns of patterns must be."""


class EffectivePermission(NamedTuple):
    """A permission of the plugin's, and the source that it comes from."""

    permission: str
    source: str


class PluginPermissions:
    """``store`` is the plugin's, ``tracking`` and ``registry`` open sessions of MLflow's databases."""

    def __init__(
        self,
        *,
        store: Any,
        config: Any,
        tracking: Callable[[], Any],
        registry: Callable[[], Any],
        remembered: Remembered | None = None,
    ) -> None:
        self._sessions, self._config = in_thread(store.ManagedSessionMaker), config
        self._tracking, self._registry = in_thread(tracking), in_thread(registry)
        self._remembered = remembered or Remembered()

    def levels(self, username: str, kind: Kind, names: Iterable[str]) -> Mapping[str, Level]:
        """The level that ``username`` has of each of ``names``."""
        return {name: LEVELS[found.permission] for name, found in self.found(username, kind, names).items()}

    def found(
        self, username: str, kind: Kind, names: Iterable[str] | None, *, prompts: bool = False
    ) -> Mapping[str, "EffectivePermission"]:
        """The permission of each of ``names``, or of everything if None; ``prompts`` compares with their patterns."""
        wanted = None if names is None else frozenset(names)
        if wanted is None or len(wanted) > FEW:
            return self._found(username, kind, wanted, prompts=prompts)[0]
        key = (username, kind, wanted, prompts)
        return self._remembered.grants(key, lambda: self._found(username, kind, wanted, prompts=prompts))

    def _found(
        self, username: str, kind: Kind, names: frozenset[str] | None, *, prompts: bool
    ) -> tuple[Mapping[str, "EffectivePermission"], bool]:
        """The permissions, and whether they follow from grants only: a name that a pattern matches may change."""
        left = set(self._texts(kind, None) if names is None else names)
        found = dict[str, EffectivePermission]()
        with self._sessions() as session:
            reader = _Reader(session, username, _source(kind, prompts=prompts))
            for source in self._config.PERMISSION_SOURCE_ORDER:
                if not left:
                    break
                granted = self._ask(reader, source, kind, left)
                found |= {name: EffectivePermission(granted[name], source) for name in granted.keys() & left}
                left -= found.keys()
        rest = dict.fromkeys(left, EffectivePermission(self._config.DEFAULT_MLFLOW_PERMISSION, "fallback"))
        return found | rest, not reader.has_patterns

    def _ask(self, reader: "_Reader", source: str, kind: Kind, names: set[str]) -> Grants:
        match source:
            case "user":
                return reader.of_user(names)
            case "group":
                return reader.of_groups(names)
            case "regex" | "group-regex":
                patterns = reader.patterns(of_groups=source == "group-regex")
                return _matched(patterns, self._texts(kind, names)) if patterns else {}
        return {}

    def readable(self, username: str, kind: Kind) -> frozenset[str]:
        """Everything of ``kind`` that ``username`` may read."""
        with self._sessions() as session:
            reader = _Reader(session, username, _source(kind))
            names = {*reader.of_user(None), *reader.of_groups(None)}
            open_to_all = LEVELS[self._config.DEFAULT_MLFLOW_PERMISSION] >= Level.READ
            # Names without any grant may be readable then, so everything there is has to be looked at.
            if open_to_all or reader.patterns(of_groups=False) or reader.patterns(of_groups=True):
                names |= self._texts(kind, None).keys()
        return frozenset(name for name, level in self.levels(username, kind, names).items() if level >= Level.READ)

    def _texts(self, kind: Kind, names: set[str] | None) -> Mapping[str, str]:
        """What patterns are compared with: an experiment's name, if it exists; a registered model's is known."""
        # Importing MLflow takes seconds, which only the server and an upgrade spend.
        from mlflow.store.model_registry.dbmodels.models import SqlRegisteredModel
        from mlflow.store.tracking.dbmodels.models import SqlExperiment

        if kind is Kind.REGISTERED_MODEL:
            if names is not None:
                return {name: name for name in names}
            with self._registry() as session:
                return {name: name for (name,) in session.query(SqlRegisteredModel.name)}
        with self._tracking() as session:
            query = session.query(SqlExperiment.experiment_id, SqlExperiment.name)
            if names is not None and len(names) <= NARROW:
                query = query.filter(SqlExperiment.experiment_id.in_([int(name) for name in names]))
            rows = {str(number): str(name) for number, name in query}
        return rows if names is None else {name: text for name, text in rows.items() if name in names}


def _matched(patterns: Patterns, texts: Mapping[str, str]) -> Grants:
    found = {}
    for name, text in texts.items():
        # From the begin only, not to the end: as the plugin compares them (utils/permissions.py).
        permission = next((permission for regex, permission in patterns if matches(regex, text)), None)
        if permission is not None:
            found[name] = permission
    return found


class _Reader:
    """The grants of one user, of one kind; reads each table at most once."""

    def __init__(self, session: Any, username: str, source: Source) -> None:
        self._session, self._username, self._source = session, username, source
        self._known_patterns: dict[bool, Patterns] = {}

    def of_user(self, names: set[str] | None) -> Grants:
        # The plugin reads its settings when it is imported, so not before serve has set them.
        from mlflow_oidc_auth.db.models import SqlUser

        table = self._source.user
        rows = self._rows(table, names).join(SqlUser, SqlUser.id == table.user_id)
        return dict(tuple(row) for row in rows.filter(SqlUser.username == self._username))

    def of_groups(self, names: set[str] | None) -> Grants:
        """Of several groups, the permission that the plugin counts as highest."""
        from mlflow_oidc_auth.permissions import get_permission

        table = self._source.group
        found: dict[str, str] = {}
        for name, permission in self._rows(table, names).filter(table.group_id.in_(self._groups())):
            if name not in found or get_permission(permission).priority > get_permission(found[name]).priority:
                found[name] = permission
        return found

    @property
    def has_patterns(self) -> bool:
        """Whether any pattern was compared with a name."""
        return any(self._known_patterns.values())

    def patterns(self, *, of_groups: bool) -> Patterns:
        if of_groups not in self._known_patterns:
            self._known_patterns[of_groups] = list(self._read_patterns(of_groups=of_groups))
        return self._known_patterns[of_groups]

    def _read_patterns(self, *, of_groups: bool) -> Iterator[tuple[str, str]]:
        from mlflow_oidc_auth.db.models import SqlUser

        table = self._source.group_patterns if of_groups else self._source.user_patterns
        rows = self._session.query(table.regex, table.permission)
        for column, wanted in self._source.columns.items():
            rows = rows.filter(getattr(table, column).is_(wanted))
        if of_groups:
            rows = rows.filter(table.group_id.in_(self._groups()))
        else:
            rows = rows.join(SqlUser, SqlUser.id == table.user_id).filter(SqlUser.username == self._username)
        yield from (tuple(row) for row in rows.order_by(table.priority))

    def _rows(self, table: Any, names: set[str] | None) -> Any:
        key = getattr(table, self._source.key)
        rows = self._session.query(key, table.permission)
        return rows if names is None or len(names) > NARROW else rows.filter(key.in_(sorted(names)))

    def _groups(self) -> Any:
        from mlflow_oidc_auth.db.models import SqlUser, SqlUserGroup
        from sqlalchemy import select

        of_user = select(SqlUserGroup.group_id).join(SqlUser, SqlUser.id == SqlUserGroup.user_id)
        return of_user.where(SqlUser.username == self._username)


def _source(kind: Kind, *, prompts: bool = False) -> Source:
    from mlflow_oidc_auth.db import models

    if kind is Kind.REGISTERED_MODEL:
        return Source(
            user=models.SqlRegisteredModelPermission,
            group=models.SqlRegisteredModelGroupPermission,
            user_patterns=models.SqlRegisteredModelRegexPermission,
            group_patterns=models.SqlRegisteredModelGroupRegexPermission,
            key="name",
            # The plugin keeps the patterns of prompts apart, and never asks for them when a prompt is used.
            columns={"prompt": prompts},
        )
    return Source(
        user=models.SqlExperimentPermission,
        group=models.SqlExperimentGroupPermission,
        user_patterns=models.SqlExperimentRegexPermission,
        group_patterns=models.SqlExperimentGroupRegexPermission,
        key="experiment_id",
    )
