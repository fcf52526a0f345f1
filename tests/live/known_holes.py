"""Requests that a release serves without the permission that they need, and the least level that is served."""

from collections.abc import Mapping

from row import Level

KNOWN_HOLES: Mapping[str, Mapping[str, Level]] = {"3.6.0": {}, "3.17.2": {}}
"""By release and name of the request."""
