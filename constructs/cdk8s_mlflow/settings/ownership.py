"""What two environments may not own both."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from cdk8s_mlflow.settings.errors import InvalidSettingsError, Problem
from cdk8s_mlflow.settings.owned import IN, INSIDE_NAMESPACE, NAMESPACE, STORE_PATH, Owned, owned_things
from cdk8s_mlflow.settings.validated import Settings


@dataclass(frozen=True, slots=True)
class _Shared:
    """One thing that two environments own, as each names it."""

    first: Owned
    second: Owned

    @property
    def follows(self) -> bool:
        return self.first.follows and self.second.follows

    @property
    def remedy(self) -> str:
        """What else than another name would tell the two apart."""
        if self.first.places is None or self.second.places is None:
            key = "secrets.vault_address" if self.second.kind == STORE_PATH else "delivery.argocd_server"
            return f", or {key} of both if they are two"
        if all(IN in place for place in self.first.places & self.second.places):
            return ", or cluster if they are in two clusters"
        return ""


def refuse_shared(environments: Mapping[Path, Settings], *, only: Path | None = None) -> None:
    """Check that no two environments own one thing; ``only`` those pairs that this file is in.

    Raises:
        InvalidSettingsError: two do; a line names both files, the thing and the setting to change.
    """
    problems = [
        problem
        for (one, other), found in sorted(_pairs(environments).items())
        if only is None or only in (one, other)
        for problem in _problems(one, other, found, same_instance=_one_instance(environments[one], environments[other]))
    ]
    if problems:
        raise InvalidSettingsError(problems)


def _pairs(environments: Mapping[Path, Settings]) -> dict[tuple[Path, Path], list[_Shared]]:
    """What each two files own both; only things of one kind and name are compared, so that many files cost little."""
    alike: dict[tuple[str, str], list[tuple[Path, Owned]]] = defaultdict(list)
    for file in sorted(environments):
        for thing in owned_things(environments[file], file.stem):
            alike[thing.group].append((file, thing))
    found: dict[tuple[Path, Path], list[_Shared]] = defaultdict(list)
    for things in alike.values():
        for (one, first), (other, second) in combinations(things, 2):
            # A single file may name one thing twice, which its own checks look for.
            if one != other and first.is_same(second):
                found[one, other].append(_Shared(first, second))
    return {pair: _without_consequences(things) for pair, things in found.items()}


def _without_consequences(found: list[_Shared]) -> list[_Shared]:
    """Without what lies in a namespace that both own, too."""
    if all(shared.first.kind != NAMESPACE for shared in found):
        return found
    return [shared for shared in found if shared.first.kind not in INSIDE_NAMESPACE]


def _one_instance(one: Settings, other: Settings) -> bool:
    return one.instance == other.instance


def _problems(one: Path, other: Path, found: Sequence[_Shared], *, same_instance: bool) -> Iterator[Problem]:
    """A line for all that follows from an instance that both have, and one for each setting that names the rest."""
    following = [shared for shared in found if shared.follows and same_instance]
    if following:
        yield Problem(str(other), "instance", _instance_message(one, other, following))
    settings: dict[tuple[str, str], list[_Shared]] = defaultdict(list)
    for shared in found:
        if shared not in following:
            settings[shared.first.key, shared.second.key].append(shared)
    for (first, second), things in settings.items():
        yield Problem(str(other), second, _message(one, first, second, things))


def _instance_message(one: Path, other: Path, following: Sequence[_Shared]) -> str:
    keys = ", ".join(dict.fromkeys(shared.second.key for shared in following))
    return (
        f"is that of {one} too, and both would own {_listed(following)}; set another instance, such as "
        f"mlflow-{other.stem}, or other names ({keys}){_remedies(following)}"
    )


def _message(one: Path, first: str, second: str, things: Sequence[_Shared]) -> str:
    names = {shared.first.name for shared in things} - {shared.second.name for shared in things}
    named = f" by its {first}{f' ({min(names)})' if names else ''}" if first != second or names else ""
    return f"{_listed(things)} would belong to {one} too{named}; set another {second}{_remedies(things)}"


def _listed(things: Sequence[_Shared]) -> str:
    return ", ".join(dict.fromkeys(str(shared.second) for shared in things))


def _remedies(things: Sequence[_Shared]) -> str:
    return "".join(dict.fromkeys(shared.remedy for shared in things))
