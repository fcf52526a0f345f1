"""When a browser session of release 3.6.0 has ended."""

import pytest

from mlflow_sso.patches.mlflow_3_6_0.sessions import is_ended

HASH = "scrypt:32768:8:1$salt$hash"


@pytest.mark.parametrize(
    ("login_mark", "stored", "ended"),
    [
        (None, HASH, False),
        (None, None, True),
        ("7.5", HASH, False),
        ("7.5", "ended:7.5", True),
        ("7.5", "ended:", True),
        (None, "returned:7.5", True),
        ("7.4", "returned:7.5", True),
        ("7.5", "returned:7.5", False),
        ("", "returned:7.5", True),
    ],
)
def test_sessions_end_with_their_mark(login_mark: str | None, stored: str | None, ended: bool) -> None:
    assert is_ended(login_mark, stored) is ended


@pytest.mark.parametrize(
    ("login_mark", "mark", "ended"), [(None, "7.5", True), ("7.4", "7.5", True), ("7.5", "7.5", False)]
)
def test_new_key_brings_no_session_back(login_mark: str | None, mark: str, ended: bool) -> None:
    assert is_ended(login_mark, HASH, mark) is ended
