"""Bad input gets one line that names file and key, exit code 2, no traceback, and dist/ stays as it was."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cdk8s_mlflow.settings import load
from cdk8s_mlflow.synth.cli import app
from cdk8s_mlflow.synth.output_tree import atomic_replace
from tests.manifests.bad_files import BAD, document


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with environments/ and an old dist/, no variables of ours set."""
    monkeypatch.chdir(tmp_path)
    # A developer's own variables would decide what is read.
    for name in list(os.environ):
        if name.startswith(("MLFLOW_", "KEYCLOAK_", "IMAGE_", "CDK8S_")):
            monkeypatch.delenv(name)
    (tmp_path / "environments").mkdir()
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / "old.yaml").write_text("old: true\n")
    yield tmp_path
    # pytest could not delete the folder otherwise.
    (tmp_path / "dist").chmod(0o755)


def assert_refused(expected: str, *arguments: str, workplace: Path) -> None:
    """One error line with ``expected`` in it, exit code 2, the old dist/ and nothing else left."""
    result = CliRunner().invoke(app, list(arguments))

    errors = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1, result.output
    assert expected in errors[0]
    assert "Traceback" not in result.output
    assert result.exit_code == 2
    assert [path.name for path in (workplace / "dist").iterdir()] == ["old.yaml"]
    # Where a synth writes before it replaces dist/.
    assert sorted(path.name for path in workplace.iterdir() if path.name.startswith(".dist")) == []


@pytest.mark.parametrize("case", BAD)
def test_bad_environment_file_is_refused(case: str, workplace: Path) -> None:
    text, expected = BAD[case]
    file = workplace / "environments" / "production.yaml"
    file.write_text(text)

    assert_refused(expected, "synth", workplace=workplace)
    assert_refused("production.yaml", "synth", workplace=workplace)


def test_there_are_at_least_sixty_bad_files() -> None:
    assert len(BAD) >= 60


def test_secret_in_file_is_never_repeated(workplace: Path) -> None:
    (workplace / "environments" / "production.yaml").write_text(document("database:\n  password: hunter2\n"))

    assert "hunter2" not in CliRunner().invoke(app, ["synth"]).output


def test_bytes_that_are_not_utf_8_are_refused(workplace: Path) -> None:
    (workplace / "environments" / "production.yaml").write_bytes(b"a: \xff\xfe\n")

    assert_refused("is not UTF-8", "synth", workplace=workplace)


def test_folder_in_place_of_file_is_refused(workplace: Path) -> None:
    (workplace / "environments" / "production.yaml").mkdir()

    assert_refused("is a directory", "synth", workplace=workplace)


def test_folder_without_environments_is_refused(workplace: Path) -> None:
    assert_refused("has no environment file", "synth", workplace=workplace)


def test_name_that_no_environment_may_have_is_refused(workplace: Path) -> None:
    (workplace / "environments" / "My Env.yaml").write_text(document())

    assert_refused("My Env.yaml: an environment's name", "synth", workplace=workplace)


@pytest.mark.parametrize("name", ["staging.yml", "staging.YAML", "production.yml"])
def test_another_ending_is_refused(workplace: Path, name: str) -> None:
    (workplace / "environments" / "production.yaml").write_text(document())
    (workplace / "environments" / name).write_text(document())

    assert_refused(f"environments/{name}: must end with .yaml to be read", "synth", workplace=workplace)


@pytest.mark.parametrize("arguments", [("synth",), ("synth", "--check")], ids=" ".join)
def test_unknown_environment_is_refused(workplace: Path, arguments: tuple[str, ...]) -> None:
    (workplace / "environments" / "production.yaml").write_text(document())
    missing = (*arguments, "--environment", "nope")

    assert_refused("there is no environment nope; name one of production", *missing, workplace=workplace)
    assert_refused("did you mean production?", *arguments, "--environment", "prodution", workplace=workplace)


def test_file_in_place_of_dist_is_refused(workplace: Path) -> None:
    (workplace / "environments" / "production.yaml").write_text(document())
    (workplace / "file").write_text("")

    assert_refused("is a file", "synth", "--output", "file", workplace=workplace)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_unwritable_dist_is_refused(workplace: Path) -> None:
    (workplace / "environments" / "production.yaml").write_text(document())
    (workplace / "dist").chmod(0o555)

    assert_refused("cannot write dist", "synth", workplace=workplace)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs Linux's /proc, which not even root may write")
def test_read_only_folder_is_refused(workplace: Path) -> None:
    (workplace / "environments" / "production.yaml").write_text(document())

    assert_refused("cannot write /proc/dist", "synth", "--output", "/proc/dist", workplace=workplace)


def test_output_below_file_is_refused(workplace: Path) -> None:
    (workplace / "environments" / "production.yaml").write_text(document())
    (workplace / "file").write_text("")

    assert_refused("cannot write file/dist", "synth", "--output", "file/dist", workplace=workplace)


def test_bad_value_of_environment_variable_names_variable(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (workplace / "environments" / "production.yaml").write_text(document())
    monkeypatch.setenv("MLFLOW_HOST", "http://mlflow.example.com")

    assert_refused("MLFLOW_HOST: ingress.host: must be a bare host name", "synth", workplace=workplace)


def test_broken_line_of_local_file_is_named(workplace: Path) -> None:
    (workplace / "environments" / "production.yaml").write_text(document())
    (workplace / ".env.local").write_text("MLFLOW_HOST=a.example.com\nthis is = not 'closed\n'oops\n")

    assert_refused(".env.local: line", "synth", workplace=workplace)


def test_override_of_no_environment_is_refused(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (workplace / "environments" / "staging.yaml").write_text(document())
    monkeypatch.setenv("MLFLOW_HOST", "a.example.com")

    assert_refused("there is no environment production", "synth", workplace=workplace)


def test_init_without_hosts_names_flag(workplace: Path) -> None:
    assert_refused("--mlflow-host: is required", "init", "staging", workplace=workplace)


def test_init_keeps_environment_that_is_there(workplace: Path) -> None:
    (workplace / "environments" / "production.yaml").write_text(document())
    hosts = ("--mlflow-host", "a.example.com", "--keycloak-host", "b.example.com")

    assert_refused("exists already", "init", "production", *hosts, workplace=workplace)
    assert (workplace / "environments" / "production.yaml").read_text() == document()


def test_init_refuses_host_of_another(workplace: Path) -> None:
    (workplace / "environments" / "production.yaml").write_text(document())
    hosts = ("--mlflow-host", "mlflow.example.com", "--keycloak-host", "auth.example.com")

    assert_refused("host mlflow.example.com would belong to", "init", "staging", *hosts, workplace=workplace)
    assert not (workplace / "environments" / "staging.yaml").exists()


def test_init_quotes_what_yaml_would_misread(workplace: Path) -> None:
    # Legal names of hosts, of which a YAML parser makes nothing and a number.
    hosts = ("--mlflow-host", "null", "--keycloak-host", "1e3")

    result = CliRunner().invoke(app, ["init", "staging", *hosts])

    assert result.exit_code == 0
    found = load(workplace / "environments" / "staging.yaml")
    assert (found.ingress.host, found.authentication.keycloak_host) == ("null", "1e3")


def test_init_with_bad_host_writes_nothing(workplace: Path) -> None:
    hosts = ("--mlflow-host", "https://a.example.com", "--keycloak-host", "b.example.com")

    assert_refused("ingress.host: must be a bare host name", "init", "staging", *hosts, workplace=workplace)
    assert list((workplace / "environments").iterdir()) == []


def test_interrupt_between_renames_restores_the_old_tree(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rename = Path.rename

    def interrupted(self: Path, target: Path) -> Path:
        if target.name == "dist" and not self.name.endswith("-old"):
            raise KeyboardInterrupt
        return rename(self, target)

    def replace() -> None:
        with atomic_replace(workplace / "dist") as fresh:
            (fresh / "new.yaml").write_text("new: true\n")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", interrupted)
        with pytest.raises(KeyboardInterrupt):
            replace()

    assert [path.name for path in (workplace / "dist").iterdir()] == ["old.yaml"]
    assert sorted(path.name for path in workplace.iterdir()) == ["dist", "environments"]
