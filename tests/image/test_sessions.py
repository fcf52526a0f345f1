"""When a browser session of release 3.6.0 is over."""

import pytest

from mlflow_sso.serve.sessions import ended_at, is_over

HASH = "scrypt:32768:8:1$salt$hash"


@pytest.mark.parametrize(
    ("login", "stored", "over"),
    [
        (1000, HASH, False),
        (1000, None, True),
        (0, HASH, True),
        (1000, "ended:999", False),
        (1000, "ended:1000", True),
        (1000, "ended:1001", True),
        (1000, "ended:", True),
        (1000, "returned:1000", True),
        (1001, "returned:1000", False),
    ],
)
def test_a_session_ends_with_age_and_access(login: float, stored: str | None, over: bool) -> None:
    assert is_over(login, 3600, stored, now=2000 if login else 4000) is over


def test_only_a_mark_says_when_access_ended() -> None:
    assert [ended_at(text) for text in ("ended:12", HASH, "")] == [12.0, None, None]
