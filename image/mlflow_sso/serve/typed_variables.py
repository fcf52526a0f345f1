"""Variables of ``serve`` that are no plain text: what each may hold, checked before the server reads them."""

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mlflow_sso import google_client
from mlflow_sso.authorization.read_only import VARIABLE as READ_ONLY
from mlflow_sso.errors import UsageError
from mlflow_sso.groups import OLD_TOKENS_VARIABLE
from mlflow_sso.serve.logs import FORM_VARIABLE
from mlflow_sso.variables import SWITCH_WORDS
from mlflow_sso.whole_numbers import variable


@dataclass(frozen=True, slots=True)
class Number:
    """Bounds of a whole number, and its value if the variable is unset or empty."""

    default: int
    least: int
    most: int


LARGEST = 1 << 50
"""Bytes, a pebibyte: more than any node has."""

NUMBERS: Mapping[str, Number] = {
    "MLFLOW_SSO_MINIMUM_TRANSFER_RATE": Number(1024, 0, LARGEST),
    "MLFLOW_SSO_MAXIMUM_BODY_SIZE": Number(32 << 20, 1, LARGEST),
    "MLFLOW_SSO_TEMPORARY_SPACE": Number(0, 0, LARGEST),
    # A day by default, as the plugin of 3.6.0 has it; ten years are more than a cookie lasts in any browser.
    "PERMANENT_SESSION_LIFETIME": Number(86_400, 1, 315_360_000),
    "REDIS_PORT": Number(6379, 1, 65_535),
    "REDIS_DB": Number(0, 0, 65_535),
}
"""Read by ``number``; those of Redis by the plugins, too."""

SWITCHES = (
    "MLFLOW_SERVE_ARTIFACTS",
    "MLFLOW_ENABLE_AI_GATEWAY",
    "MLFLOW_SSO_ACCESS_KEY_CACHE",
    "MLFLOW_SSO_BEARER_ACCESS_KEYS",
)
"""Read by ``switched_on``."""

WORDS: Mapping[str, tuple[str, ...]] = {
    READ_ONLY: ("true", "false"),
    OLD_TOKENS_VARIABLE: ("true", "false"),
    google_client.IDENTITY: ("true", "false"),
    FORM_VARIABLE: ("text", "json"),
    "REDIS_SSL": ("true", "1", "t", "false", "0", "f"),
    "LOG_LEVEL": ("debug", "info", "warning", "error", "critical"),
}
"""Compared with some words, so that every other one would quietly count as the opposite; an empty text is unset."""

ANY_CASE = ("REDIS_SSL", "LOG_LEVEL")
"""Those whose readers take capitals, too."""


def number(variables: Mapping[str, str], name: str) -> int:
    """The number that one of ``NUMBERS`` gives; raises ``UsageError``."""
    bounds = NUMBERS[name]
    return variable(variables, name, default=bounds.default, least=bounds.least, most=bounds.most)


def require_values(variables: Mapping[str, str]) -> None:
    """Raise ``UsageError`` for the first variable that holds what its readers do not take."""
    for name in NUMBERS:
        number(variables, name)
    for name in SWITCHES:
        _require_word(variables, name, SWITCH_WORDS, any_case=True)
    for name, words in WORDS.items():
        _require_word(variables, name, words, any_case=name in ANY_CASE)
    for part in _networks(variables.get("TRUSTED_PROXIES", "")):
        try:
            ipaddress.ip_network(part)
        except ValueError:
            raise UsageError(
                f"TRUSTED_PROXIES has {part[:40]!r}",
                remedy="name addresses and networks as 10.0.0.0/8, separated by commas, without bits of hosts",
            ) from None


def _require_word(variables: Mapping[str, str], name: str, words: tuple[str, ...], *, any_case: bool) -> None:
    given = variables.get(name, "")
    if given and (given.lower() if any_case else given) not in words:
        raise UsageError(f"{name} is {given[:40]!r}", remedy=f"set it to one of: {', '.join(words)}")


def _networks(text: str) -> Iterator[str]:
    return (part.strip() for part in text.split(",") if part.strip())
