"""What each version changed in the settings and asks its users to do; the source of `upgrade`, newest last.

A version that renames, moves or removes a setting, changes a default or needs an action gets an entry here.
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
    removed: Mapping[str, str] = field(default_factory=dict)
    """Why a setting no longer exists, and what to use instead, by its dotted key."""
    defaults: tuple[DefaultChange, ...] = ()
    actions: tuple[str, ...] = ()
    """What to do by hand, a line each."""


HISTORY: tuple[VersionChanges, ...] = (
    VersionChanges(
        version="0.1.0",
        removed={
            "ingress.block_unchecked_paths": "the server itself refuses what its table of routes does not serve",
            "server.extra_arguments": "no flag of MLflow's ever started a pod; use server.extra_environment",
        },
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
            "before you deliver: groups come by full path and tokens need an audience; follow the four steps of"
            " `Logins, tokens, groups` in CHANGELOG.md in their order, and no user is locked out",
            "if ingress.class_name names another controller than Traefik, name it in ingress.controller",
            "if another proxy is in front of Traefik, set ingress.limits.forwarded_depth, or all users count as one",
            "back up both databases: `migrate` adds indexes, and on a large database takes some minutes once",
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
