"""What decisions remember: grants as of one number of changes, owners for good, and nothing without a number."""

from collections.abc import Iterator

import pytest

from mlflow_sso.authorization import remembering
from mlflow_sso.authorization.remembering import NotRememberedError, Remembered, in_thread, number_of_changes


@pytest.fixture
def at_number_one() -> Iterator[None]:
    token = number_of_changes.set(1)
    yield
    number_of_changes.reset(token)


class Reads:
    """Counts what is read; each read finds another value."""

    def __init__(self, *, lasting: bool = True) -> None:
        self.count, self.lasting = 0, lasting

    def __call__(self) -> tuple[int, bool]:
        self.count += 1
        return self.count, self.lasting


def test_grants_without_number_are_read_anew() -> None:
    remembered, read = Remembered(), Reads()

    assert [remembered.grants("key", read) for _ in range(3)] == [1, 2, 3]


@pytest.mark.usefixtures("at_number_one")
def test_grants_end_with_number() -> None:
    remembered, read = Remembered(), Reads()

    first = [remembered.grants("key", read), remembered.grants("key", read)]
    number_of_changes.set(2)
    second = [remembered.grants("key", read), remembered.grants("key", read)]
    number_of_changes.set(1)

    assert (first, second, remembered.grants("key", read)) == ([1, 1], [2, 2], 1)


@pytest.mark.usefixtures("at_number_one")
def test_grants_that_may_change_are_read_anew() -> None:
    remembered, read = Remembered(), Reads(lasting=False)

    assert [remembered.grants("key", read) for _ in range(3)] == [1, 2, 3]


def test_recent_entries_make_room() -> None:
    recent, old = remembering.Recent(most=2, seconds=60), remembering.Recent(most=2, seconds=0)

    for name in "abc":
        recent.put(name, name.upper())
        old.put(name, name.upper())

    assert [recent.get(name) for name in "abc"] == [None, "B", "C"]
    assert [old.get(name) for name in "abc"] == [None, None, None]


def test_owners_are_read_once() -> None:
    remembered, asked = Remembered(), list[list[str]]()

    def read(names: list[str]) -> dict[str, str]:
        asked.append(names)
        return {name: "7" for name in names if name != "unknown"}

    assert remembered.owners("run", ["a", "unknown"], read) == {"a": "7"}
    assert remembered.owners("run", ["a", "b", "unknown"], read) == {"a": "7", "b": "7"}
    assert remembered.owners("model", ["a"], read) == {"a": "7"}
    assert asked == [["a", "unknown"], ["b", "unknown"], ["a"]]


def test_sessions_wait_for_thread() -> None:
    open_session = in_thread(lambda: "session")

    with remembering.only_remembered(), pytest.raises(NotRememberedError):
        open_session()

    assert open_session() == "session"
