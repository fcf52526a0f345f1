"""One JSON object for each request, and one more for what an audit asks about: logins, keys, grants, deletions."""

import json
import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TextIO

from mlflow_sso.asgi import Scope
from mlflow_sso.authorization.matching import Match
from mlflow_sso.authorization.rules import Form, Where
from mlflow_sso.serve.logs import is_json, masked_target, masked_tokens
from mlflow_sso.serve.request_metrics import Finished, current_record

SAMPLE = 100
"""Of so many health checks one is logged; probes come every few seconds for as long as the pod lives."""

NAMED = ("permission", "username", "group_name", "name")
"""Fields of a body that say whose grant is changed, and to what; none of them is ever a secret."""

LONGEST = 200
"""Characters of a value that a client has chosen."""


class EventLog:
    """Writes to ``stream``; ``accesses`` is whether every request has a line, or only what an audit asks about."""

    def __init__(self, *, accesses: bool = True, stream: TextIO | None = None) -> None:
        self._accesses, self._stream, self._probes = accesses, stream, 0

    def __call__(self, finished: Finished) -> None:
        """Log a request whose answer has ended."""
        if self._accesses:
            self._write(_access(finished))
        if finished.record.action and finished.status != 401:
            self._write(_audit(finished))

    def probe(self, scope: Scope) -> None:
        """Log one of many health checks."""
        self._probes += 1
        if self._accesses and self._probes % SAMPLE == 1:
            now = {"time": _now(), "level": "info", "event": "probe", "path": scope["path"], "of": SAMPLE}
            self._write(now)

    def _write(self, fields: Mapping[str, object]) -> None:
        print(json.dumps(fields), file=self._stream or sys.stdout, flush=True)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _access(finished: Finished) -> dict[str, object]:
    record, scope = finished.record, finished.scope
    return {
        "time": _now(),
        "level": "error" if finished.status >= 500 or not finished.status else "info",
        "event": "access",
        "request": record.request_id,
        "client": record.client,
        "user": record.user or None,
        # A method may be any word, of any length.
        "method": scope["method"][:16],
        "path": masked_target(_target(scope))[:LONGEST],
        "rule": record.rule,
        "status": finished.status,
        "ms": round(finished.seconds * 1000, 1),
        "received": finished.received,
        "sent": finished.sent,
    }


def _target(scope: Scope) -> str:
    query = scope.get("query_string", b"").decode("latin-1")
    return f"{scope['path']}?{query}" if query else str(scope["path"])


def _audit(finished: Finished) -> dict[str, object]:
    record = finished.record
    return {
        "time": _now(),
        "level": "info",
        "event": "audit",
        "request": record.request_id,
        "client": record.client,
        "user": record.user or None,
        "action": record.action,
        "outcome": "refused" if finished.status >= 400 or record.failure else "done",
        "status": finished.status,
        **({"reason": record.failure} if record.failure else {}),
        **({"object": record.named} if record.named else {}),
    }


def audited(match: Match) -> str:
    """What an audit calls a request of this row; empty if it does not ask about it."""
    path = match.route.paths[0]
    if path == "/callback":
        return "login"
    if path == "/logout":
        return "logout"
    if match.method == "GET":
        return ""
    if "access-token" in path or "/tokens" in path:
        return "key"
    if "/permissions/" in path or "/users" in path or "/workspace" in path:
        return "grant"
    return "deletion" if match.method == "DELETE" or "/delete" in path or path.endswith("/restore") else ""


def named(match: Match, query: Mapping[str, str], body: bytes) -> dict[str, str]:
    """What an audited request is about: variables of its path, and the fields by which its rule finds objects."""
    rule = match.route.rule
    fields = [need.field.path for need in rule.needs if need.field.where in (Where.REQUEST, Where.BODY, Where.QUERY)]
    fields += [value.field.path for value in rule.values if value.form is Form.SELF]
    given = {**query, **_object(body)}
    values = {name: given.get(name) for name in (*fields, *NAMED)} | dict(match.variables)
    return {name: masked_tokens(value)[:LONGEST] for name, value in values.items() if isinstance(value, str)}


def _object(body: bytes) -> dict[str, object]:
    try:
        found = json.loads(body) if body else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


class JsonFormatter(logging.Formatter):
    """Every other line of the process, with the request that it belongs to."""

    def format(self, record: logging.LogRecord) -> str:
        current = current_record()
        fields: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": "log",
            "logger": record.name,
            "message": masked_tokens(record.getMessage()),
        }
        if current is not None:
            fields["request"] = current.request_id
        if record.exc_info:
            fields["exception"] = masked_tokens(self.formatException(record.exc_info))
        return json.dumps(fields)


def event_log(variables: Mapping[str, str]) -> EventLog | None:
    """The log of requests as JSON; None if the settings ask for text, which uvicorn writes."""
    if not is_json(variables):
        return None
    return EventLog(accesses=(variables.get("LOG_LEVEL") or "INFO").upper() in ("DEBUG", "INFO"))


def speak_json() -> None:
    """Give every handler of the process the JSON form, also those that MLflow, alembic and the plugin set up later."""
    form = JsonFormatter()

    def format_record(handler: logging.Handler, record: logging.LogRecord) -> str:
        return form.format(record)

    logging.Handler.format = format_record  # type: ignore[assignment, method-assign]
    logging.captureWarnings(True)
