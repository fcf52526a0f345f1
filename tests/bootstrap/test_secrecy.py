"""The detector of the whole suite hears what it should: its verdict comes when the session ends."""

import logging
import subprocess
import sys

import pytest
from secrecy import SecretDetector, listening

from mlflow_bootstrap.errors import UsageError
from mlflow_bootstrap.store import entries

SECRET = 'a secret with "quotes", % and é'


@pytest.mark.parametrize(
    "text",
    [
        f"password={SECRET}.",
        "url?p=a%20secret%20with%20%22quotes%22%2C%20%25%20and%20%C3%A9&x",
        "p=a+secret+with+%22quotes%22%2C+%25+and+%C3%A9",
        'body {"p": "a secret with \\"quotes\\", % and \\u00e9"}',
        "Basic YSBzZWNyZXQgd2l0aCAicXVvdGVzIiwgJSBhbmQgw6k=",
    ],
)
def test_secret_is_found_in_every_form(text: str) -> None:
    detector = SecretDetector()
    detector.hear("somewhere", text)
    detector.know(SECRET)

    (found,) = detector.findings()

    assert found.startswith("somewhere: ")
    assert "***" in found
    assert "quotes" not in found


def test_what_is_no_secret_is_not_found() -> None:
    detector = SecretDetector()
    detector.know(SECRET, "short")
    detector.hear("somewhere", "a short secret with nothing in it")

    assert detector.findings() == []


def test_detector_reads_logs_errors_and_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    detector = SecretDetector()
    # Shown on purpose, so the session's own detector must not know it.
    monkeypatch.setattr(entries, "new_token", lambda: "created-for-this-test")

    with listening(detector):
        made = entries.new_token()
        logging.getLogger("any").debug("made %s", made)
        UsageError(f"the value {made} is bad", remedy="take another")
        subprocess.run([sys.executable, "-c", f"print('{made}')"], capture_output=True, check=True)

    assert [found.split(":")[0].split(" [")[0] for found in detector.findings()] == [
        "log of any",
        "UsageError",
        "output of",
    ]
