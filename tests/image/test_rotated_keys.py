"""Keys of the realm are read again for a token that names a new one, and not for every such token."""

from types import SimpleNamespace

import pytest
import requests

from mlflow_sso.patches.realm_requests import forget_unless_keys
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
    # Otherwise made-up tokens would have the realm asked each time.
    for _ in range(3):
        with pytest.raises(ValueError, match=UNKNOWN_KEY):
            rotated("made up")
    assert reads == ["new"]


def test_other_faults_read_nothing() -> None:
    def validate(token: str) -> str:
        raise ValueError("expired")

    with pytest.raises(ValueError, match="expired"):
        RotatedKeys(validate, lambda _: pytest.fail("keys were read"))("x")


@pytest.mark.parametrize("found", [{"keys": []}, {"error": "unavailable"}, [], {"keys": "x"}, {"keys": ["x"]}, None])
def test_client_keeps_no_set_without_keys(found: object) -> None:
    client = SimpleNamespace(server_metadata={"issuer": "x", "jwks": found})

    with pytest.raises(requests.RequestException):
        forget_unless_keys(client, found)

    assert client.server_metadata == {"issuer": "x"}


def test_client_keeps_set_of_keys() -> None:
    found = {"keys": [{"kid": "one"}]}

    assert forget_unless_keys(SimpleNamespace(server_metadata={}), found) == found
