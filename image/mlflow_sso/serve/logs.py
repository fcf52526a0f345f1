"""What the server logs: uvicorn's lines with a time, without the probes."""

import logging
from collections.abc import Mapping
from typing import Any

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
ACCESS_FORMAT = '%(asctime)s %(levelname)s %(client_addr)s "%(request_line)s" %(status_code)s'


class WithoutProbes(logging.Filter):
    """Drops the access lines of health checks that succeeded."""

    def filter(self, record: logging.LogRecord) -> bool:
        match record.args:
            case (_, _, str(path), _, 200):
                return not path.startswith("/health")
        return True


def log_configuration(variables: Mapping[str, str]) -> dict[str, Any]:
    """Uvicorn's ``log_config``, at LOG_LEVEL; errors go to stderr, accesses to stdout."""
    level = variables.get("LOG_LEVEL", "INFO").upper()
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "plain": {"format": FORMAT},
            "access": {"()": "uvicorn.logging.AccessFormatter", "fmt": ACCESS_FORMAT, "use_colors": False},
        },
        "filters": {"without-probes": {"()": f"{__name__}.WithoutProbes"}},
        "handlers": {
            "errors": {"class": "logging.StreamHandler", "formatter": "plain", "stream": "ext://sys.stderr"},
            "accesses": {
                "class": "logging.StreamHandler",
                "formatter": "access",
                "stream": "ext://sys.stdout",
                "filters": ["without-probes"],
            },
        },
        "loggers": {
            "uvicorn": {"handlers": ["errors"], "level": level, "propagate": False},
            "uvicorn.error": {"level": level},
            "uvicorn.access": {"handlers": ["accesses"], "level": level, "propagate": False},
        },
    }
