"""``server.read_only``: reads are answered, writes get 503, decided from the table of routes."""

from collections.abc import Mapping

from mlflow_sso.authorization.errors import RefusedError
from mlflow_sso.authorization.matching import Match
from mlflow_sso.authorization.rules import Access, Level

VARIABLE = "MLFLOW_SSO_READ_ONLY"
RETRY_SECONDS = 60
LABEL = "read only"
"""Rule of the refused requests in the metrics, so that alerts on errors do not count them."""


def is_read_only(variables: Mapping[str, str]) -> bool:
    """Whether the settings say so."""
    return variables.get(VARIABLE) == "true"


def changes_something(match: Match) -> bool:
    """Whether a request writes: all but GET, logins, and searches, which list rows or need no more than READ.

    A search may be a POST, for its filter may be long; a row that creates something needs EDIT or names nothing.
    """
    rule = match.route.rule
    if match.method == "GET" or rule.access is Access.OPEN:
        return False
    searches = bool(rule.lists) or (bool(rule.needs) and all(need.level <= Level.READ for need in rule.needs))
    return rule.starts_work or not searches


def refusal() -> RefusedError:
    """What a write is answered; MLflow's client heeds ``Retry-After``, and tries seven times."""
    return RefusedError(
        "this server is read-only for maintenance: nothing was changed; try again later",
        status=503,
        error_code="TEMPORARILY_UNAVAILABLE",
        retry_seconds=RETRY_SECONDS,
    )
