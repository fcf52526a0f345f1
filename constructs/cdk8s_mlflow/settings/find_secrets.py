"""Secrets in an environment file, which every reader of the repository would see."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

_REMEDY = "environment files hold none; keep it in the secret store (`bootstrap.py secrets`)"

_NAMES = re.compile(
    r"(.*_)?(password|passwd|secret|secret_key|client_secret|token|api_key|access_key|private_key)", re.I
)
_ALLOWED = frozenset({"redis.password"})
_VALUES = (
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY"),
    # Each scheme is tried once, and not from every letter of a long text.
    re.compile(r"(?<![a-z0-9+.-])[a-z][a-z0-9+.-]*://[^/\s:@]+:[^/\s@]+@", re.I),
    re.compile(r"\b(AKIA|ASIA)[A-Z0-9]{16}\b"),
    re.compile(r"\b(hvs|hvb|s)\.[A-Za-z0-9_-]{20,}\b"),
    re.compile(r"\b(ghp|gho|ghs|glpat|mlf|xox[abp])[_-][A-Za-z0-9_-]{16,}\b"),
    re.compile(r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\."),
    re.compile(r"\bgithub_pat_[A-Za-z0-9_]{20,}"),
    re.compile(r"AGE-SECRET-KEY-1[A-Z0-9]{20,}", re.I),
)
_RANDOM = re.compile(r"(?=\S*[a-z])(?=\S*[A-Z])(?=\S*[0-9])\S{20,}")
"""Long text as keys are generated, without a form of its own, such as a secret access key of AWS."""


def find_secrets(document: Mapping[str, Any], *, above: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Pairs of dotted key and message, one for each value that is, or is named like, a secret."""
    for name, value in document.items():
        where = (*above, str(name))
        if isinstance(value, Mapping):
            yield from find_secrets(value, above=where)
        elif _is_secret(where, value):
            yield ".".join(where), f"looks like a secret; {_REMEDY}"


def _is_secret(where: tuple[str, ...], value: Any) -> bool:
    # Lists are read as tuples; an element has no name, so only its form can betray it.
    if isinstance(value, tuple):
        return any(_is_secret((*where, ""), item) for item in value)
    if not isinstance(value, str):
        return False
    named = bool(_NAMES.fullmatch(where[-1])) and ".".join(where[-2:]) not in _ALLOWED
    # Both are names of Secrets.
    known_setting = where[-1] in ("tls_secret", "credentials_secret") and len(where) == 2
    return (named and bool(value) and not known_setting) or looks_like_a_secret(value)


def looks_like_a_secret(value: str) -> bool:
    """Whether ``value`` holds a private key, a login in a URL, or a token of a known form."""
    return any(pattern.search(value) for pattern in _VALUES)


def may_be_a_secret(value: str) -> bool:
    """Whether ``value`` may be a key that was pasted into a wrong place, so that no message may show it."""
    return looks_like_a_secret(value) or _RANDOM.fullmatch(value) is not None
