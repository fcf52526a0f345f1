"""Keeps the environment from changing how libpq connects: only the settings and the store say that.

Every parameter that a connection leaves out comes from a variable (PostgreSQL documentation, "Environment Variables"):
PGHOSTADDR leads to another server, PGSSLMODE and PGSSLROOTCERT weaken TLS, PGOPTIONS changes the session.
"""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from mlflow_bootstrap.errors import UsageError

_LIBPQ = re.compile(r"PG[A-Z_]+")
_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
"""From weak to strong."""


@contextmanager
def without_libpq_variables() -> Iterator[None]:
    """Hide libpq's variables from it meanwhile; not for several threads at once."""
    # libpq has no parameter that turns its variables off.
    hidden = {name: os.environ.pop(name) for name in list(os.environ) if _LIBPQ.fullmatch(name)}
    try:
        yield
    finally:
        os.environ.update(hidden)


def ssl_mode(environ: Mapping[str, str], *, least: str) -> str:
    """``PGSSLMODE`` if it is stronger than ``least``, the mode of the settings; else that.

    Raises:
        UsageError: PGSSLMODE is weaker, or none of libpq's modes.
    """
    given = environ.get("PGSSLMODE") or least
    if given not in _MODES:
        raise UsageError(f"PGSSLMODE is {given!r}", remedy=f"use one of {', '.join(_MODES)}, or unset it")
    if _MODES.index(given) < _MODES.index(least):
        raise UsageError(
            f"PGSSLMODE={given} is weaker than database.sslmode, which is {least}",
            remedy="unset it, or change database.sslmode",
        )
    return given
