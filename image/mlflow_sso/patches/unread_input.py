"""Refuses input that MLflow's handlers cannot read, with 400.

A field of another type is no error to them. What was read before it goes on to the checks of the handler's schema,
which take ``int()`` or ``.get()`` of whatever is there, and then to the handler, as if the rest had not been sent
(mlflow/server/handlers.py, ``_get_request_message``). So it would serve another request than the one that was judged:
with a ``filter_string`` of a number before ``experiment_id``, release 3.17.2 listed the issues of all experiments. And
what failed got 500, which clients send again, and alerts count as a fault of the server.
"""

import json
import sys
from functools import wraps
from importlib import import_module
from traceback import walk_tb
from typing import Any

FAULTS = (TypeError, ValueError, AttributeError, LookupError, ArithmeticError)
"""What Python raises where a value is of another type than the code takes it for."""

NOTE = "mlflow_sso_unread"
"""Attribute of Flask's ``g`` in a request of which a field could not be read: what to say of it."""

LONGEST = 200
"""Characters of the parser's words, which hold the value."""

MESSAGE = "a field of this request is not of the type or form that its documentation names"

READERS = (
    ("mlflow.utils.search_utils", "SearchLoggedModelsPaginationToken.decode"),
    ("mlflow.entities.trace_metrics", "MetricAggregation.from_proto"),
    ("mlflow_oidc_auth.validators.registered_model", "request_has_kind_tag_lookalike"),
)
"""Module and function, or class and class method, of what else reads requests; release 3.6.0 has the first only."""


def tell_unread_input() -> None:
    """Change MLflow's handlers, which must be imported, and not serve yet."""
    # Importing MLflow takes seconds, which only the server and an upgrade spend.
    from mlflow.server import app
    from werkzeug.exceptions import HTTPException

    def answered(error: Exception) -> Any:
        # Flask's own, such as that of a missing key of a form, are an answer already.
        if isinstance(error, HTTPException):
            return error
        if not _is_of_handler(error):
            raise error
        return _refusal()

    _note_unread_fields()
    _check_in_words()
    _read_scorers()
    for reader in READERS:
        _read_or_refuse(*reader)
    for fault in FAULTS:
        app.register_error_handler(fault, answered)


def _note_unread_fields() -> None:
    from google.protobuf.json_format import ParseError
    from mlflow.exceptions import MlflowException
    from mlflow.server import handlers

    parse: Any = handlers.parse_dict
    read: Any = handlers._get_request_message

    @wraps(parse)
    def parse_or_note(fields: Any, message: Any) -> None:
        try:
            parse(fields, message)
        except ParseError as error:
            # Names the field.
            _note_unread(f"{MESSAGE}: {str(error)[:LONGEST]}")
            raise
        except FAULTS as error:
            _note_unread(MESSAGE)
            raise ParseError(MESSAGE) from error

    @wraps(read)
    def read_whole(*arguments: Any, **named: Any) -> Any:
        message = read(*arguments, **named)
        # After the schema's own checks, which name the field.
        if unread := _unread():
            raise MlflowException.invalid_parameter_value(unread)
        return message

    handlers._get_request_message = read_whole
    handlers.parse_dict = parse_or_note


def _check_in_words() -> None:
    from mlflow.exceptions import MlflowException
    from mlflow.server import handlers

    check: Any = handlers._validate_param_against_schema

    @wraps(check)
    def check_or_refuse(schema: Any, param: str, value: Any, proto_parsing_succeeded: bool = False) -> None:
        try:
            check(schema, param, value, proto_parsing_succeeded)
        except FAULTS:
            raise MlflowException.invalid_parameter_value(
                f"Invalid value for parameter '{param}': it is not of the type that its documentation names"
            ) from None

    handlers._validate_param_against_schema = check_or_refuse


def _read_scorers() -> None:
    """Release 3.17.2 takes each text of JSON for a scorer, and fails over its model in the middle of a transaction."""
    from mlflow.exceptions import MlflowException
    from mlflow.server import handlers

    judge: Any = getattr(handlers, "_validate_serialized_scorer_payload", None)
    if judge is None:
        return
    # Imported by MLflow's store already.
    from mlflow.genai.scorers.scorer_utils import extract_model_from_serialized_scorer, validate_scorer_model

    @wraps(judge)
    def read_first(text: str) -> None:
        try:
            judge(text)
            validate_scorer_model(extract_model_from_serialized_scorer(json.loads(text)))
        # The second is of texts with thousands of levels.
        except (*FAULTS, RecursionError):
            raise MlflowException.invalid_parameter_value(f"serialized_scorer is no scorer: {MESSAGE}") from None

    handlers._validate_serialized_scorer_payload = read_first


def _read_or_refuse(module: str, function: str) -> None:
    from flask import abort

    owner_name, _, name = function.rpartition(".")
    try:
        home = import_module(module)
        owner = getattr(home, owner_name) if owner_name else home
        read: Any = getattr(owner, name)
    except (ModuleNotFoundError, AttributeError):
        return

    @wraps(read)
    def refusing(*arguments: Any, **named: Any) -> Any:
        try:
            return read(*arguments, **named)
        except FAULTS:
            abort(_refusal())

    setattr(owner, name, staticmethod(refusing) if owner_name else refusing)


def _refusal() -> Any:
    from flask import Response
    from mlflow.exceptions import MlflowException

    told = MlflowException.invalid_parameter_value(MESSAGE)
    return Response(told.serialize_as_json(), told.get_http_status_code(), mimetype="application/json")


def _note_unread(what: str) -> None:
    from flask import g, has_app_context

    if has_app_context():
        setattr(g, NOTE, what)


def _is_of_handler(error: BaseException) -> bool:
    """Whether a handler itself failed, and no store that it asked: over a text that is no JSON, or no known word."""
    modules = [frame.f_globals.get("__name__", "") for frame, _ in walk_tb(error.__traceback__)]
    own = [name for name in modules if name.partition(".")[0] not in sys.stdlib_module_names]
    return own[-1:] == ["mlflow.server.handlers"]


def _unread() -> str:
    from flask import g

    return str(g.get(NOTE, ""))
