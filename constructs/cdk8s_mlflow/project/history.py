"""What each version changed in the settings and asks its users to do; the source of `upgrade`, newest last.

A version that renames a setting, moves one, changes a default or needs an action gets an entry here with its change.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class DefaultChange:
    """A setting whose default is another one now: who had not set it has another value."""

    key: str
    before: Any
    after: Any
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionChanges:
    """What one version changed."""

    version: str
    renamed: Mapping[str, str] = field(default_factory=dict)
    """New dotted key of a setting by its old one."""
    defaults: tuple[DefaultChange, ...] = ()
    actions: tuple[str, ...] = ()
    """What to do by hand, a line each."""


HISTORY: tuple[VersionChanges, ...] = (
    VersionChanges(
        version="0.1.0",
        defaults=(
            DefaultChange(
                key="delivery.retries",
                before=20,
                after=5,
                why="a commit that repairs a failed sync need not wait for many retries",
            ),
            DefaultChange(
                key="server.ai_gateway",
                before=True,
                after=False,
                why="on release 3.17.2 every user could make the server call other hosts",
            ),
        ),
        actions=(
            "run `bootstrap.py apply --adopt-earlier` once: what earlier versions created has no mark yet",
            "if Argo CD tracks by label, let it track by annotation: every object has app.kubernetes.io/instance now",
            "paste delivery/argocd/argocd-cm-health.txt into argocd-cm anew",
        ),
    ),
)


def since(written: str | None, *, history: tuple[VersionChanges, ...] = HISTORY) -> tuple[VersionChanges, ...]:
    """The versions after the one that has ``written`` the manifests; all of them if that is not known."""
    return tuple(entry for entry in history if written is None or order(entry.version) > order(written))


def order(version: str) -> tuple[int, ...]:
    """The numbers of a version, by which versions are ordered."""
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])
