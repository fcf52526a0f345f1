"""What pydantic found, in the words of the user who edits an environment file."""

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from cdk8s_mlflow.settings.errors import MISSING
from cdk8s_mlflow.settings.find_secrets import may_be_a_secret
from cdk8s_mlflow.settings.foreign_keys import foreign_setting
from cdk8s_mlflow.settings.spelling import nearest_key
from cdk8s_mlflow.settings.validated import ConflictingSettingsError

NO_SETTINGS = {
    "ingress.block_unchecked_paths": "is no longer a setting, since the server itself refuses what its table of routes "
    "does not serve, behind any Ingress; remove it",
    "server.extra_arguments": "is no longer a setting, since no flag of MLflow's ever started a pod; set a variable in "
    "server.extra_environment instead",
    "secrets.vault_namespace": "is not a setting: bootstrap.py reads the variable VAULT_NAMESPACE, and the store of "
    "External Secrets names it; remove it",
}
"""Keys of earlier versions, and of what is set in another place, each with the reason and what to do."""

_TYPES = {
    "string_type": "must be text; put it in quotes",
    "int_type": "must be a whole number without quotes",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number without quotes",
    "bool_type": "must be true or false",
    "tuple_type": "must be a list",
    "dict_type": "must be a mapping of keys to values",
    "model_type": "must be a mapping of keys to values",
    "model_attributes_type": "must be a mapping of keys to values",
}


def error_messages(error: ValidationError) -> Iterator[tuple[str, str]]:
    """Pairs of dotted key and message, one for each thing that is wrong."""
    for details in error.errors(include_url=False):
        cause = details.get("ctx", {}).get("error")
        if isinstance(cause, ConflictingSettingsError):
            yield from cause.found
        else:
            yield _key(details["loc"]), _message(details, cause)


def _key(location: tuple[int | str, ...]) -> str:
    key = ""
    for part in location:
        key += f"[{part}]" if isinstance(part, int) else f".{part}"
    # pydantic names the key of a mapping so, if the key itself is wrong.
    return key.removeprefix(".").removesuffix(".[key]")


def _message(details: ErrorDetails, cause: Any) -> str:
    kind, bounds = details["type"], details.get("ctx", {})
    given = f"; got {_shown(details['input'])}"
    if kind == "missing":
        return f"{MISSING}; add it"
    if kind == "extra_forbidden":
        key = _key(details["loc"])
        known = NO_SETTINGS.get(key) or foreign_setting(key)
        return known or f"is not a setting; {_remedy(details['loc'])}"
    if cause is not None:
        return f"{cause}{given}"
    if kind == "tuple_type" and isinstance(details["input"], list | set):
        return "must be a tuple in Python code; a list is one of YAML only"
    if details["input"] is None:
        # In YAML a key without a value, or null.
        return "has no value, and may not be null; give it one, or remove it"
    if kind in _TYPES:
        return _TYPES[kind] + given
    # YAML reads 2.5 as a number; texts are compared with what was written.
    if kind == "literal_error" and isinstance(details["input"], int | float) and "'" in bounds["expected"]:
        return f"{_bounds(details['msg'], bounds)}, in quotes{given}"
    return _bounds(details["msg"], bounds) + given


def _remedy(location: tuple[int | str, ...]) -> str:
    near = nearest_key(location)
    return f"did you mean {near}?" if near else "remove it or check its spelling (docs/settings.md lists them all)"


def _bounds(message: str, bounds: dict[str, Any]) -> str:
    lower, upper = bounds.get("ge", bounds.get("gt")), bounds.get("le", bounds.get("lt"))
    if lower is not None or upper is not None:
        return message.replace("Input should be", "must be")
    if "expected" in bounds:
        return f"must be {bounds['expected']}".replace("'", "")
    return (
        message.replace("Input should be", "must be").replace("String should", "must").replace("Value should", "must")
    )


def _shown(value: Any) -> str:
    """The refused value, short and on one line."""
    if isinstance(value, dict | list | tuple):
        return "a mapping" if isinstance(value, dict) else "a list"
    if value is None:
        return "nothing"
    if isinstance(value, bytes) or (isinstance(value, str) and may_be_a_secret(value)):
        return f"{len(value)} characters, which are not shown since they may be a secret"
    # Control characters, and letters that look like others, are part of what is wrong.
    text = ascii(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
