"""An environment that is unchanged is not rendered again, and a cache that may be wrong is not believed."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cdk8s_mlflow.settings import load
from cdk8s_mlflow.synth import render_cache
from cdk8s_mlflow.synth.cli import app
from cdk8s_mlflow.synth.output_tree import differences
from cdk8s_mlflow.synth.render_cache import FOLDER, RenderCache

MINIMAL = "ingress:\n  host: mlflow.example.com\nauthentication:\n  keycloak_host: auth.example.com\n"
IMPORTED = (
    "import sys; from cdk8s_mlflow.synth.cli import app\n"
    "try: app(['synth'])\nexcept SystemExit: pass\nprint('cdk8s' in sys.modules)"
)
READ_SOURCES = (
    "import sys; read = []\n"
    "sys.addaudithook(lambda event, given: event == 'compile' and given[1] == '<unknown>' and read.append(given[0]))\n"
    "from cdk8s_mlflow.synth.cli import app\n"
    "try: app(['synth'])\nexcept SystemExit: pass\nprint(len(read))"
)
"""Counts what was parsed, beside compiled modules and the code that the standard library makes of text."""
OPENED = (
    "import sys; opened = []\n"
    "sys.addaudithook(lambda event, given: event == 'open' and opened.append(str(given[0])))\n"
    "from cdk8s_mlflow.synth.cli import app\n"
    "try: app(['synth'])\nexcept SystemExit: pass\n"
    "print(sum(name.endswith('production.yaml') for name in opened))"
)


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CDK8S_OUTDIR", raising=False)
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments" / "production.yaml").write_text(MINIMAL)
    run("synth")
    return tmp_path


def run(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == code, result.output
    return result.output


def entry(folder: Path) -> Path:
    return folder / FOLDER / "production.json"


def rendered_anew(folder: Path) -> bool:
    """Whether a synth in a process of its own imports cdk8s."""
    # In this process other tests have imported it.
    done = subprocess.run([sys.executable, "-c", IMPORTED], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[-1] == "True"


def believed(folder: Path) -> bool:
    """Whether the cache gives back what it has of the environment."""
    settings = load(folder / "environments" / "production.yaml")
    return RenderCache(folder=folder / FOLDER).restore("production", settings, folder / "restored")


def test_unchanged_environment_is_not_rendered(workplace: Path) -> None:
    assert not rendered_anew(workplace)
    assert run("synth", "--no-cache") == run("synth")
    assert run("synth", "--check", "--no-cache") == run("synth", "--check")


def test_synth_parses_no_sources(workplace: Path) -> None:
    # when
    done = subprocess.run(
        [sys.executable, "-c", READ_SOURCES], cwd=workplace, capture_output=True, text=True, check=True
    )

    # then
    assert done.stdout.splitlines()[-1] == "0"


def test_synth_reads_each_file_once(workplace: Path) -> None:
    # when
    done = subprocess.run([sys.executable, "-c", OPENED], cwd=workplace, capture_output=True, text=True, check=True)

    # then
    assert done.stdout.splitlines()[-1] == "1"


def test_cached_tree_is_the_rendered_one(workplace: Path, tmp_path: Path) -> None:
    # given
    (workplace / "dist").rename(tmp_path / "rendered")

    # when
    run("synth")

    # then
    assert differences(workplace / "dist", tmp_path / "rendered") == []


def test_changed_settings_are_rendered(workplace: Path) -> None:
    # when
    (workplace / "environments" / "production.yaml").write_text(MINIMAL + "namespace: other\n")

    # then
    assert "changed" in run("synth")
    assert "namespace: other" in (workplace / "dist/production/application/Deployment.mlflow.k8s.yaml").read_text()


def _truncated(text: str) -> str:
    return text[: len(text) // 2]


def _edited(text: str) -> str:
    return text.replace("mlflow.example.com", "evil.example.com")


def _of_another_key(text: str) -> str:
    body = json.loads(text.partition("\n")[2])
    changed = json.dumps({**body, "key": "0" * 64}).encode()
    return f"{render_cache._checksum(changed).decode()}\n{changed.decode()}"


@pytest.mark.parametrize("damage", [_truncated, _edited, _of_another_key, lambda text: "", lambda text: "[]\n[]"])
def test_damaged_entry_is_not_believed(workplace: Path, damage: Callable[[str], str]) -> None:
    # given
    entry(workplace).write_text(damage(entry(workplace).read_text()))

    # when
    damaged, said = believed(workplace), run("synth")

    # then
    assert not damaged
    assert "unchanged" in said
    assert believed(workplace)


def test_damaged_entry_is_rendered_anew(workplace: Path) -> None:
    # given
    entry(workplace).write_text(_edited(entry(workplace).read_text()))

    # then
    assert rendered_anew(workplace)
    assert not rendered_anew(workplace)
    assert "unchanged" in run("synth")


def test_changed_code_is_another_key(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    settings = load(workplace / "environments" / "production.yaml")
    cache = RenderCache(folder=workplace / FOLDER)

    # when
    known = cache.restore("production", settings, workplace / "known")
    # As a changed source file, whose digest enters the key.
    monkeypatch.setattr(render_cache, "_code", lambda: ["other"])
    unknown = cache.restore("production", settings, workplace / "unknown")

    # then
    assert (known, unknown) == (True, False)


def test_check_keeps_nothing(workplace: Path) -> None:
    entry(workplace).unlink()

    run("synth", "--check")

    assert not entry(workplace).exists()


def test_cache_that_cannot_be_written_is_none(workplace: Path) -> None:
    entry(workplace).unlink()
    # A folder in its place cannot be written, not even by root.
    entry(workplace).mkdir()

    assert "unchanged" in run("synth")


def test_cache_is_ignored_by_git(workplace: Path) -> None:
    subprocess.run(["git", "init", "--quiet"], cwd=workplace, check=True)

    status = subprocess.run(["git", "status", "--short"], cwd=workplace, capture_output=True, text=True, check=True)

    assert FOLDER not in status.stdout
