"""The console command without any server: usage, ages, and what a Secret that cannot be used is called."""

import subprocess
import sys
from argparse import ArgumentTypeError
from pathlib import Path

import certifi
import pytest
from pod import ROOT

from mlflow_sso import gc
from mlflow_sso.ca_bundle import join_ca_bundle
from mlflow_sso.cli import PROGRAMS, main
from mlflow_sso.errors import TerminalError
from mlflow_sso.secrets_root import SecretsRoot
from mlflow_sso.serve.logs import WithoutProbes


def test_each_program_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    for program in PROGRAMS:
        with pytest.raises(SystemExit) as end:
            main([program, "--help"])

        assert end.value.code == 0
        assert f"usage: mlflow-sso {program}" in capsys.readouterr().out


@pytest.mark.parametrize(
    # The last one is the beginning of an option, which argparse would complete by itself.
    "arguments",
    [["upgrade"], ["--wrong"], ["migrate", "--timeout", "-1"], ["gc", "--older", "1d"]],
)
def test_what_it_does_not_know_is_usage_error(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)

    assert end.value.code == 2
    assert "usage: mlflow-sso" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "seconds"), [("30d", 2_592_000), ("1d2h3m4s", 93_784), ("12h", 43_200), ("0s", 0), ("90m", 5400)]
)
def test_age_is_read_in_mlflows_notation(text: str, seconds: int) -> None:
    assert gc.age(text) == seconds


@pytest.mark.parametrize("text", ["", "30", "d", "1s2m", "-1d", "1.5d", "30 d"])
def test_what_is_no_age_is_refused(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="is not an age"):
        gc.age(text)


def test_results_end_quietly_without_reader() -> None:
    script = "from mlflow_sso import log\nfor number in range(100000): log.result(name=number)"

    pipe, environment = subprocess.PIPE, {"PYTHONPATH": str(ROOT / "image")}
    with subprocess.Popen([sys.executable, "-c", script], env=environment, stdout=pipe, stderr=pipe) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        # As `head` does.
        process.stdout.close()
        said = process.stderr.read()

    assert (process.returncode, said) == (141, b"")


def test_missing_value_is_named_with_its_secret(tmp_path: Path) -> None:
    with pytest.raises(TerminalError) as error:
        SecretsRoot(tmp_path).read("oidc", "OIDC_CLIENT_ID")

    assert str(error.value) == (
        f"error: {tmp_path}/oidc/OIDC_CLIENT_ID is missing or empty: it comes from mlflow-oidc-config, "
        "key OIDC_CLIENT_ID\nlook at mlflow-oidc-config"
    )


def test_private_authority_is_added_to_public_ones(tmp_path: Path) -> None:
    (tmp_path / "ca").mkdir()
    (tmp_path / "ca/ca.crt").write_text("private")

    bundle = join_ca_bundle(SecretsRoot(tmp_path), directory=tmp_path)

    assert bundle is not None
    assert bundle.read_text() == f"{Path(certifi.where()).read_text()}\nprivate"


def test_without_private_authority_nothing_is_written(tmp_path: Path) -> None:
    assert join_ca_bundle(SecretsRoot(tmp_path), directory=tmp_path) is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("path", "status", "kept"), [("/health", 200, False), ("/health", 500, True), ("/api/2.0/mlflow/x", 200, True)]
)
def test_access_log_leaves_out_probes_that_succeeded(path: str, status: int, kept: bool) -> None:
    import logging

    arguments = ("127.0.0.1:1", "GET", path, "1.1", status)
    record = logging.LogRecord("uvicorn.access", logging.INFO, "", 0, "%s", arguments, None)

    assert WithoutProbes().filter(record) is kept
