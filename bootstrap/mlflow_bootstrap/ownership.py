"""Whose a thing is: what bootstrap creates bears a mark with the instance; nothing else is changed unless adopted."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

MARK = "cdk8s-mlflow.instance"
"""Name of the mark: an attribute in Keycloak, a tag of a bucket, a key of custom metadata in Vault."""

FOUND = "cdk8s-mlflow.found"
"""Beside the mark of an adopted thing: what is needed to give it back as it was found; never a secret."""

OWNER = "(owner)"
"""Key of the :class:`Owner` in what a resource reads; no field, so it is never compared."""


_TEXT = re.compile(rf"{re.escape(MARK)}=(?P<instance>\S+)(?: {re.escape(FOUND)}=(?P<found>.*))?", re.DOTALL)


def mark_text(instance: str, found: Mapping[str, Any] | None = None) -> str:
    """The mark in one text, for systems that keep a comment; ``found`` is what an adopted thing was like."""
    return f"{MARK}={instance}" + (f" {FOUND}={json.dumps(found)}" if found is not None else "")


def read_mark(text: str | None) -> tuple[str | None, Mapping[str, Any] | None]:
    """The instance that a text of :func:`mark_text` names, and what was found; None each for any other text."""
    match = _TEXT.fullmatch(text or "")
    if match is None:
        return None, None
    return match["instance"], decode_found(match["found"])


def decode_found(text: str | None) -> Mapping[str, Any] | None:
    """What was kept beside the mark of an adopted thing; empty if it is unreadable, None if it was not adopted."""
    if text is None:
        return None
    try:
        found = json.loads(text)
    except ValueError:
        # The note was edited by hand: the thing was adopted, only nothing of it can be given back.
        return {}
    return found if isinstance(found, dict) else {}


class Standing(StrEnum):
    """Whose a thing is."""

    OURS = "ours"
    EARLIER = "earlier"
    """It has no mark, and is exactly as releases of bootstrap without marks created it."""
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Whose a thing that exists is, and what that allows."""

    standing: Standing
    name: str = ""
    """The owner in a reader's words, such as ``instance mlflow-staging``."""
    usable: bool = False
    """Whether it may be used as it is although it is not ours."""
    markless: bool = False
    """Whether it bears no mark in a system that may keep none, so that what we made cannot be told from others'."""
    adopted: bool = False
    """Whether it is ours because it was adopted, so that ``destroy`` gives it back."""
    setting: str = ""
    """The setting that would name another thing."""


def owner_of(
    mark: str | None,
    instance: str,
    *,
    setting: str,
    earlier: bool = False,
    others: str = "",
    usable: bool = False,
    markless: bool = False,
    adopted: bool = False,
) -> Owner:
    """The owner of a thing whose mark, if any, is ``mark``.

    ``earlier`` says that it is as releases without marks created it; ``others`` is who owns it if it has no mark, which
    is no proof if it may be ``markless``.
    """
    # The mark decides before likeness does: an exact copy that bears another's mark is theirs.
    if mark == instance:
        return Owner(standing=Standing.OURS, name=_instance(instance), adopted=adopted, setting=setting)
    if mark:
        return Owner(standing=Standing.FOREIGN, name=_instance(mark), usable=usable, setting=setting)
    if earlier:
        return Owner(standing=Standing.EARLIER, name=EARLIER_RELEASE, usable=usable, setting=setting)
    name = others or "others (no mark of cdk8s-mlflow)"
    return Owner(standing=Standing.FOREIGN, name=name, usable=usable, markless=markless, setting=setting)


EARLIER_RELEASE = "an earlier release of bootstrap, which set no marks"


def _instance(name: str) -> str:
    return f"instance {name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """What the operator has named to be taken over."""

    addresses: frozenset[str] = frozenset()
    earlier: bool = False
    """Everything that is exactly as an earlier release created it."""

    def covers(self, address: str, owner: Owner) -> bool:
        """Whether the thing at ``address`` is to be taken over."""
        return address in self.addresses or (self.earlier and owner.standing is Standing.EARLIER)
