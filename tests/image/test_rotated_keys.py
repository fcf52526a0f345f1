"""Keys of the realm are read again for a token that names a new one, and not for every such token."""

import pytest

from mlflow_sso.patches.rotated_keys import UNKNOWN_KEY, RotatedKeys


def test_new_key_is_read_once() -> None:
    reads, known = [], {"old"}

    def validate(token: str) -> str:
        if token not in known:
            raise ValueError(UNKNOWN_KEY)
        return token

    def read_again(token: str) -> None:
        reads.append(token)
        known.add("new")

    rotated = RotatedKeys(validate, read_again)

    assert [rotated("old"), rotated("new")] == ["old", "new"]
    for _ in range(3):
        with pytest.raises(ValueError, match=UNKNOWN_KEY):
            rotated("made up")
    assert reads == ["new"]


def test_other_faults_read_nothing() -> None:
    def validate(token: str) -> str:
        raise ValueError("expired")

    with pytest.raises(ValueError, match="expired"):
        RotatedKeys(validate, lambda _: pytest.fail("keys were read"))("x")
