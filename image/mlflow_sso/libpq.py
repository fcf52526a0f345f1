"""Keeps the environment from changing how libpq connects: only the mounted service file says that.

Every parameter that the service file leaves out comes from a variable (PostgreSQL documentation, "Environment
Variables"): PGHOSTADDR sends a connection to another server whatever ``host`` says, PGSSLMODE and PGSSLROOTCERT weaken
its TLS, PGOPTIONS and PGTARGETSESSIONATTRS change the session. All of them begin with PG; so will those to come.
"""

import re
from collections.abc import MutableMapping

from mlflow_sso.log import progress

LIBPQ = re.compile(r"PG[A-Z_]+")
OURS = frozenset({"PGSERVICEFILE"})
"""What the manifests set."""


def drop_foreign_variables(environment: MutableMapping[str, str]) -> None:
    """Delete libpq's variables other than ``OURS`` from ``environment``, with a line that names each."""
    for name in sorted(environment):
        if LIBPQ.fullmatch(name) and name not in OURS:
            del environment[name]
            progress("ignored a variable of libpq", level="warning", variable=name, remedy="use the service file")
