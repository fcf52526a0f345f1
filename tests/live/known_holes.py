"""Requests that a release serves without the permission that they need, and the least level that is served."""

from collections.abc import Mapping

from row import Level

ANY_MEMBER = (
    "find data sets",
    "find runs",
    "query a run by GraphQL",
    "read histories in bulk",
    "read histories in steps",
    "log a data set",
    "log a run's model outputs",
    "list artifacts by the proxy",
    "download an artifact as pages do",
    "list a logged model's artifacts",
    "download a logged model's artifact",
    "read a trace",
    "find traces",
    "tag a trace",
    "assess a trace",
    "start a trace",
    "link a trace to a run",
    "delete traces",
    "find versions of a model",
    "download a version's file",
    "find versions of a prompt",
    "read another user",
)
"""What mlflow-oidc-auth 5.6.1 serves to whoever has logged in; pages or clients need it, so no Ingress can refuse it.

To be told to operators: docs/security.md."""

KNOWN_HOLES: Mapping[str, Mapping[str, Level]] = {"3.6.0": dict.fromkeys(ANY_MEMBER, Level.MEMBER), "3.17.2": {}}
"""By release and name of the request."""
