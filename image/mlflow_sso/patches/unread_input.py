"""Answers 400 to input that MLflow's handlers cannot read, where they answer 500.

A field of another type is no error to them at first. What could be read goes on to the checks of the handler's schema,
which take ``int()`` or ``.get()`` of whatever is there, and then to the handler (mlflow/server/handlers.py,
``_get_request_message``). Clients send a request with 500 again and again, and alerts count it as a fault of the
server.
"""

from functools import wraps
from importlib import import_module
from typing import Any

FAULTS = (TypeError, ValueError, AttributeError, LookupError, ArithmeticError)
"""What Python raises where a value is of another type than the code takes it for."""

NOTE = "mlflow_sso_unread"
"""Attribute of Flask's ``g`` in a request of which a field could not be read."""

MESSAGE = "a field of this request is not of the type or form that its documentation names"

READERS = (
    ("mlflow.utils.search_utils", "SearchLoggedModelsPaginationToken", "decode"),
    ("mlflow.entities.trace_metrics", "MetricAggregation", "from_proto"),
)
"""Module, class and class method of what reads a text or a message further; release 3.6.0 has no metrics of traces."""


def tell_unread_input() -> None:
    """Change MLflow's handlers, which must be imported, and not serve yet."""
    # Importing MLflow takes seconds, which only the server and an upgrade spend.
    from flask import Response
    from mlflow.exceptions import MlflowException
    from mlflow.server import app
    from werkzeug.exceptions import HTTPException

    def refusal() -> Any:
        told = MlflowException.invalid_parameter_value(MESSAGE)
        return Response(told.serialize_as_json(), told.get_http_status_code(), mimetype="application/json")

    def answered(error: Exception) -> Any:
        # Flask's own, such as that of a missing key of a form, are an answer already.
        if isinstance(error, HTTPException):
            return error
        if not _is_unread():
            raise error
        return refusal()

    def corrected(answer: Any) -> Any:
        # A handler may also have told, with 500, of what it misses.
        return refusal() if answer.status_code == 500 and _is_unread() else answer

    _note_unread_fields()
    for reader in READERS:
        _read_or_refuse(*reader)
    for fault in FAULTS:
        app.register_error_handler(fault, answered)
    app.after_request(corrected)


def _note_unread_fields() -> None:
    from google.protobuf.json_format import ParseError
    from mlflow.exceptions import MlflowException
    from mlflow.server import handlers

    parse: Any = handlers.parse_dict
    check: Any = handlers._validate_param_against_schema

    @wraps(parse)
    def parse_or_note(fields: Any, message: Any) -> None:
        try:
            parse(fields, message)
        except (ParseError, *FAULTS) as error:
            _note_unread()
            raise ParseError(str(error)) from error

    @wraps(check)
    def check_or_refuse(schema: Any, param: str, value: Any, proto_parsing_succeeded: bool = False) -> None:
        try:
            check(schema, param, value, proto_parsing_succeeded)
        except FAULTS:
            raise MlflowException.invalid_parameter_value(
                f"Invalid value for parameter '{param}': it is not of the type that its documentation names"
            ) from None

    handlers.parse_dict = parse_or_note
    handlers._validate_param_against_schema = check_or_refuse


def _read_or_refuse(module: str, kind: str, method: str) -> None:
    """Let a class method that reads a part of a request refuse what it cannot read, in MLflow's way."""
    from mlflow.exceptions import MlflowException

    try:
        owner = getattr(import_module(module), kind)
    except ModuleNotFoundError:
        return
    read: Any = getattr(owner, method)

    @wraps(read)
    def refusing(*arguments: Any, **named: Any) -> Any:
        try:
            return read(*arguments, **named)
        except FAULTS:
            raise MlflowException.invalid_parameter_value(MESSAGE) from None

    setattr(owner, method, staticmethod(refusing))


def _note_unread() -> None:
    from flask import g, has_app_context

    if has_app_context():
        setattr(g, NOTE, True)


def _is_unread() -> bool:
    from flask import g

    return bool(g.get(NOTE, False))
