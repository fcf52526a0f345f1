"""What the server logs: uvicorn's lines with a time, without the probes, and without what opens a session."""

import logging
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_plus

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
ACCESS_FORMAT = '%(asctime)s %(levelname)s %(client_addr)s "%(request_line)s" %(status_code)s'


FORM_VARIABLE = "MLFLOW_SSO_LOG_FORMAT"


def is_json(variables: Mapping[str, str]) -> bool:
    """Whether each line is to be a JSON object."""
    return variables.get(FORM_VARIABLE) == "json"


class WithoutProbes(logging.Filter):
    """Drops the access lines of health checks that succeeded."""

    def filter(self, record: logging.LogRecord) -> bool:
        match record.args:
            case (_, _, str(path), _, 200):
                return not path.startswith("/health")
        return True


MASK = "***"

SENSITIVE_NAME = re.compile(
    r"(.*[_-])?(code|state|nonce|token|assertion|secret|password|passwd|key|hint|credentials?|saml\w*)|session_id|sid",
    re.IGNORECASE,
)
"""Names of parameters whose values log a user in, or end a session: OpenID Connect's, and the plugins' own."""

PAIR = re.compile(r"(?P<name>[^?&;=\s\"']+)=(?P<value>[^&;\s\"']*)")
JSON_WEB_TOKEN = re.compile(r"eyJ[\w-]{5,}\.[\w-]+\.[\w-]*")
ACCESS_KEY = re.compile(r"mlf_[\w-]{8,}")


def masked_target(target: str) -> str:
    """A request's path and query without the values of sensitive parameters; without any value below ``/callback``."""
    path, mark, query = target.partition("?")
    everything = "/callback" in unquote_plus(path)
    return masked_tokens(path) + mark + PAIR.sub(lambda pair: _masked_pair(pair, everything), masked_tokens(query))


def _masked_pair(pair: "re.Match[str]", everything: bool) -> str:
    # A value may be an address with a query of its own, encoded once or more often.
    inner = _decoded(pair["value"])
    nested = any(SENSITIVE_NAME.fullmatch(one["name"]) for one in PAIR.finditer(inner))
    hidden = everything or nested or SENSITIVE_NAME.fullmatch(_decoded(pair["name"]))
    return f"{pair['name']}={MASK if pair['value'] and hidden else pair['value']}"


def _decoded(text: str) -> str:
    for _ in range(4):
        before, text = text, unquote_plus(text)
        if text == before:
            break
    return text


def masked_tokens(text: str) -> str:
    """``text`` without JSON Web Tokens and access keys, wherever they stand."""
    return ACCESS_KEY.sub(MASK, JSON_WEB_TOKEN.sub(MASK, text))


class WithoutCredentials(logging.Filter):
    """Masks sensitive parameters in access lines."""

    def filter(self, record: logging.LogRecord) -> bool:
        match record.args:
            case (client, method, str(target), version, status):
                record.args = (client, method, masked_target(target), version, status)
        return True


class MaskingFormatter(logging.Formatter):
    """Masks tokens and access keys in every other line, tracebacks included: at DEBUG the plugins log whole tokens."""

    def format(self, record: logging.LogRecord) -> str:
        return masked_tokens(super().format(record))


def log_configuration(variables: Mapping[str, str]) -> dict[str, Any]:
    """Uvicorn's ``log_config``, at LOG_LEVEL; errors go to stderr, accesses to stdout."""
    level = (variables.get("LOG_LEVEL") or "INFO").upper()
    # Else libraries without a handler of their own write bare lines, by logging's last resort.
    root = {"root": {"handlers": ["errors"], "level": "WARNING"}} if is_json(variables) else {}
    return {
        **root,
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "plain": {"()": f"{__name__}.MaskingFormatter", "fmt": FORMAT},
            "access": {"()": "uvicorn.logging.AccessFormatter", "fmt": ACCESS_FORMAT, "use_colors": False},
        },
        "filters": {
            "without-probes": {"()": f"{__name__}.WithoutProbes"},
            "without-credentials": {"()": f"{__name__}.WithoutCredentials"},
        },
        "handlers": {
            "errors": {"class": "logging.StreamHandler", "formatter": "plain", "stream": "ext://sys.stderr"},
            "accesses": {
                "class": "logging.StreamHandler",
                "formatter": "access",
                "stream": "ext://sys.stdout",
                "filters": ["without-probes", "without-credentials"],
            },
        },
        "loggers": {
            "uvicorn": {"handlers": ["errors"], "level": level, "propagate": False},
            "uvicorn.error": {"level": level},
            "uvicorn.access": {"handlers": ["accesses"], "level": level, "propagate": False},
        },
    }
