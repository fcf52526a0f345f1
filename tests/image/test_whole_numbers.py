"""Numbers in arguments and variables of the programs: what is none, or too large, is one line and exit code 2."""

from pathlib import Path

import pytest

from mlflow_sso.check.session_store import _redis_settings
from mlflow_sso.cli import main
from mlflow_sso.errors import UsageError
from mlflow_sso.prune_sessions import _tables
from mlflow_sso.secrets_root import SecretsRoot
from mlflow_sso.serve.typed_variables import NUMBERS, SWITCHES, WORDS, require_values
from mlflow_sso.whole_numbers import variable

OPTIONS = [
    ("migrate", "--timeout"),
    ("migrate", "--maximum-lock-seconds"),
    ("wait-for-schema", "--timeout"),
    ("serve", "--timeout"),
    ("serve", "--port"),
    ("serve", "--workers"),
    ("serve", "--grace-seconds"),
    ("gc", "--timeout"),
    ("gc", "--older-than"),
    ("check", "--timeout"),
    ("prune-sessions", "--timeout"),
    ("dump", "--timeout"),
    ("dump", "--keep-days"),
    ("dump", "--keep-at-least"),
    ("restore", "--timeout"),
    ("fsck", "--timeout"),
    ("end-access", "--timeout"),
]
# Too large for a clock, for PostgreSQL, and for Python; below zero; none at all; in other scripts; spelled otherwise.
VALUES = ["9" * 30, "9" * 5000, "1e300", "-1", "nan", "inf", "\u0661", "²", "1_0", " ", "0x10", "9" * 30 + "d"]


@pytest.mark.parametrize("value", VALUES, ids=lambda text: text[:6])
@pytest.mark.parametrize(("program", "option"), OPTIONS)
def test_number_out_of_bounds_is_usage_error(
    program: str, option: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main([program, f"{option}={value}"])

    said = capsys.readouterr().err
    assert end.value.code == 2
    assert f"argument {option}: " in said
    assert "Traceback" not in said
    # A text of thousands of digits is not repeated.
    assert len(said) < 2000


@pytest.mark.parametrize("value", VALUES, ids=lambda text: text[:6])
def test_variable_out_of_bounds_is_usage_error(value: str) -> None:
    with pytest.raises(UsageError, match="DAYS is '") as error:
        variable({"DAYS": value}, "DAYS", default=30, least=0, most=36_500)

    assert str(error.value).endswith("set it to a number from 0 to 36500")


def test_variable_has_its_default() -> None:
    found = [variable(given, "DAYS", default=30, least=0, most=36_500) for given in ({}, {"DAYS": ""}, {"DAYS": "0"})]

    assert found == [30, 30, 0]


@pytest.mark.parametrize("name", ["REDIS_PORT", "REDIS_DB"])
def test_redis_settings_are_numbers(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "9" * 5000)

    with pytest.raises(UsageError, match=f"{name} is"):
        _redis_settings(SecretsRoot(Path("/nowhere")))


def test_days_of_activity_are_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCIM_ACTIVITY_RETENTION_DAYS", "9" * 5000)

    with pytest.raises(UsageError, match="SCIM_ACTIVITY_RETENTION_DAYS is"):
        list(_tables())


@pytest.mark.parametrize("value", VALUES, ids=lambda text: text[:6])
@pytest.mark.parametrize("name", NUMBERS)
def test_server_reads_numbers_only(name: str, value: str) -> None:
    with pytest.raises(UsageError, match=f"{name} is '"):
        require_values({name: value})


@pytest.mark.parametrize("name", [*SWITCHES, *WORDS])
def test_server_knows_each_word(name: str) -> None:
    for value in ("ture", " true", "text ", "2", "None"):
        with pytest.raises(UsageError, match=f"{name} is '"):
            require_values({name: value})
    require_values({name: ""})


@pytest.mark.parametrize("value", ["*", "10.0.0.0/33", "10.0.0.1/8", "proxy", "10.0.0.0/8;::1"])
def test_server_knows_networks_of_proxies(value: str) -> None:
    with pytest.raises(UsageError, match="TRUSTED_PROXIES has '"):
        require_values({"TRUSTED_PROXIES": f"127.0.0.1, {value}"})


def test_server_takes_what_it_documents() -> None:
    require_values({})
    require_values(dict.fromkeys(NUMBERS, "1") | dict.fromkeys(SWITCHES, "Yes") | {"TRUSTED_PROXIES": "10.0.0.0/8,::1"})
    require_values({name: word for name, words in WORDS.items() for word in words})
    require_values({"LOG_LEVEL": "INFO", "REDIS_SSL": "True"})
