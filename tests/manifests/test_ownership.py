"""Two environments of a folder never own one thing, however its place is written."""

from pathlib import Path

import pytest

from cdk8s_mlflow.settings import InvalidSettingsError
from cdk8s_mlflow.settings.instance import FollowsInstance
from cdk8s_mlflow.settings.owned import STORE_PATH, Owned, owned_things
from cdk8s_mlflow.settings.ownership import refuse_shared
from cdk8s_mlflow.settings.section import Section
from tests.manifests.ownership import inside, outside
from tests.manifests.ownership.changes import CLIENT, ONE, OTHER, Changes, settings

SHARED = {**inside.SHARED, **outside.SHARED}
APART = {**inside.APART, **outside.APART}


def refusals(one: Changes, other: Changes, *, files: tuple[Path, Path] = (ONE, OTHER)) -> list[str]:
    """What is said about two environments; empty if they may stand side by side."""
    try:
        refuse_shared({files[0]: settings("ml-one", one), files[1]: settings("ml-other", other)})
    except InvalidSettingsError as error:
        return [str(problem) for problem in error.problems]
    return []


@pytest.mark.parametrize("case", SHARED)
def test_refuse_shared_names_thing_and_setting(case: str) -> None:
    one, other, key, thing = SHARED[case]

    lines = refusals(one, other)

    assert lines, "nothing was refused"
    (line,) = [line for line in lines if line.startswith(f"{OTHER}: {key}: ") and thing in line]
    assert str(ONE) in line
    assert f"set another {key}" in line


@pytest.mark.parametrize("case", SHARED)
def test_refuse_shared_reads_pairs_both_ways(case: str) -> None:
    one, other, _, _ = SHARED[case]

    assert refusals(one, other, files=(OTHER, ONE))


@pytest.mark.parametrize("case", APART)
def test_refuse_shared_allows_what_is_apart(case: str) -> None:
    one, other = APART[case]

    assert refusals(one, other) == refusals(one, other, files=(OTHER, ONE)) == []


def test_owned_things_hold_what_follows_from_instance() -> None:
    found = settings("ml-one", {})
    sections: dict[str, Section] = {
        "": found,
        **{f"{name}.": part for name, part in found if isinstance(part, Section)},
    }
    following = {
        f"{above}{name}"
        for above, section in sections.items()
        for name, field in type(section).model_fields.items()
        if isinstance(field.json_schema_extra, FollowsInstance)
    }

    owned = {thing.key for thing in owned_things(found, "one") if thing.follows}

    assert following - owned == {"secrets.vault_role"}, "bootstrap.py only logs in with this role"


def test_refuse_shared_tells_equal_instances_once() -> None:
    hosts = {ONE: {"ingress.host": "a.example.com"}, OTHER: {"ingress.host": "b.example.com"}}

    with pytest.raises(InvalidSettingsError) as raised:
        refuse_shared({file: settings("mlflow", changes) for file, changes in hosts.items()})

    (problem,) = raised.value.problems
    assert (problem.source, problem.key) == (str(OTHER), "instance")
    for part in (str(ONE), "mlflow-other", "namespace mlflow", "bucket mlflow", "client mlflow", "secret/mlflow"):
        assert part in problem.message


def test_refuse_shared_offers_cluster_where_it_helps() -> None:
    inside, outside = refusals({"namespace": "a"}, {"namespace": "a"}), refusals(CLIENT, CLIENT)

    assert [line.endswith(", or cluster if they are in two clusters") for line in (*inside, *outside)] == [True, False]


def test_refuse_shared_compares_only_things_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    many = {Path(f"environments/site-{n}.yaml"): settings(f"site-{n}", {}) for n in range(100)}
    compare, compared = Owned.is_same, []
    monkeypatch.setattr(Owned, "is_same", lambda one, other: compared.append(one.kind) or compare(one, other))

    refuse_shared(many)

    # Paths of a store may overlap without one name, so each two of them are compared, and nothing else is.
    assert set(compared) <= {STORE_PATH}
    assert len(compared) <= 100 * 99 / 2 * 2
