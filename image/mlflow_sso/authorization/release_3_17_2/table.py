"""Every route of MLflow 3.17.2 and mlflow-oidc-auth 11.0.2, and what guards it.

The plugin knows nearly every route of this release and decides rightly, with all that a request names: its decision
stands, and the engine judges only whether a request can be read in one way, and what it has the server believe.
What is called ``ASKED_BY_SERVE``, and GraphQL, is asked for here; what is called ``LISTED_BY_SERVE`` shows only the
rows that ``lists.py`` leaves.
"""

from collections.abc import Iterable
from dataclasses import replace

from mlflow_sso.authorization.matching import Table
from mlflow_sso.authorization.release_3_17_2 import (
    agents,
    artifacts,
    gateway,
    genai,
    permissions,
    registry,
    server,
    traces,
    tracking,
)
from mlflow_sso.authorization.rules import Decider, Route


def routes(*, ai_gateway: bool) -> tuple[Route, ...]:
    """All rows."""
    by_plugin = (tracking, artifacts, traces, registry, genai, agents, permissions)
    return (
        *server.ROUTES,
        *traces.ASKED_BY_SERVE,
        *tracking.ASKED_BY_SERVE,
        *_by_plugin(
            (*tracking.LISTED_BY_SERVE, *registry.LISTED_BY_SERVE, *genai.LISTED_BY_SERVE), lists_by=Decider.SERVE
        ),
        *_by_plugin(row for module in by_plugin for row in module.ROUTES),
        *_by_plugin(gateway.gateway_routes(enabled=ai_gateway)),
    )


def table(*, ai_gateway: bool) -> Table:
    """The rows, ready to find a request's."""
    return Table(routes(ai_gateway=ai_gateway))


def _by_plugin(rows: Iterable[Route], *, lists_by: Decider = Decider.PLUGIN) -> Iterable[Route]:
    return (replace(row, rule=row.rule.by_plugin(lists_by=lists_by)) for row in rows)
