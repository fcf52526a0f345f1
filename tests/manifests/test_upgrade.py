"""`cdk8s-mlflow upgrade`: settings of an older version brought to this one."""

from functools import reduce
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cdk8s_mlflow import __version__
from cdk8s_mlflow.console import app
from cdk8s_mlflow.project.history import HISTORY, DefaultChange, VersionChanges, order, since
from cdk8s_mlflow.project.upgrade import UpgradeError, upgrade, written_by
from cdk8s_mlflow.settings import InvalidSettingsError, Settings, load

MINIMAL = "ingress:\n  host: mlflow.example.com\nauthentication:\n  keycloak_host: auth.example.com\n"
# A history that does not exist yet, so that each kind of change is tried.
FUTURE = (
    VersionChanges(
        version="0.1.0",
        renamed={"server.pods": "server.replicas", "extras.level": "server.log_level"},
        defaults=(DefaultChange(key="server.tmp_size", before="1Gi", after="4Gi", why="artifacts are spooled"),),
        actions=("take a backup",),
    ),
)


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one environment and no manifests yet."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CDK8S_OUTDIR", raising=False)
    # The temporary folder may lie in a repository itself.
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments" / "production.yaml").write_text(MINIMAL)
    return tmp_path


def service_account(workplace: Path, version: str) -> None:
    folder = workplace / "dist" / "production" / "application"
    folder.mkdir(parents=True)
    text = f"metadata:\n  annotations:\n    cdk8s-mlflow/version: {version}\n"
    (folder / "ServiceAccount.mlflow.k8s.yaml").write_text(text)


def run(workplace: Path, text: str, *, write: bool = True) -> tuple[str, list[str]]:
    """The environment file after an upgrade along FUTURE, and the report."""
    file = workplace / "environments" / "production.yaml"
    file.write_text(text)
    (found,) = upgrade(file.parent, workplace / "dist", write=write, history=FUTURE)
    return file.read_text(), list(found.lines())


def test_upgrade_renames_and_keeps_comments(workplace: Path) -> None:
    text = (
        f"# ours\n{MINIMAL}server: # how many\n  # two, for updates\n  pods: 2 # at least\n"
        '  log_level: "DEBUG"\n  resources: {memory_limit: 4Gi}\n  allowed_hosts:\n    - a.example.com\n'
    )

    after, report = run(workplace, text)

    assert after == text.replace("pods:", "replicas:")
    assert "  renamed: server.pods → server.replicas" in report


def test_upgrade_moves_setting_between_sections(workplace: Path) -> None:
    after, report = run(workplace, f"{MINIMAL}extras:\n  level: DEBUG # noisy\nserver:\n  replicas: 1\n")

    assert after == f"{MINIMAL}server:\n  replicas: 1\n  log_level: DEBUG # noisy\n"
    assert "  renamed: extras.level → server.log_level" in report


def test_upgrade_creates_section_of_moved_setting(workplace: Path) -> None:
    after, _ = run(workplace, f"{MINIMAL}extras:\n  level: DEBUG\n")

    assert after == f"{MINIMAL}server:\n  log_level: DEBUG\n"


def test_upgrade_refuses_both_names_of_setting(workplace: Path) -> None:
    with pytest.raises(InvalidSettingsError, match=r"server\.pods: is called server.replicas now, which is set, too"):
        run(workplace, f"{MINIMAL}server:\n  pods: 2\n  replicas: 1\n")


def test_upgrade_leaves_other_files_byte_equal(workplace: Path) -> None:
    # Spacing that a YAML writer would not keep.
    text = f'{MINIMAL}server:   {{ "replicas":  1 }}   # odd\n\n\n'

    assert run(workplace, text)[0] == text


def test_upgrade_check_writes_nothing(workplace: Path) -> None:
    text = f"{MINIMAL}server:\n  pods: 2\n"

    after, report = run(workplace, text, write=False)

    assert after == text
    assert "  renamed: server.pods → server.replicas" in report


@pytest.mark.parametrize(("lines", "said"), [("", True), ("server:\n  tmp_size: 8Gi\n", False)])
def test_upgrade_names_defaults_left_unset(workplace: Path, lines: str, said: bool) -> None:
    _, report = run(workplace, MINIMAL + lines)

    assert ("  default: server.tmp_size 1Gi → 4Gi: artifacts are spooled" in report) is said
    assert "  to do: take a backup" in report


def test_upgrade_starts_at_version_of_dist(workplace: Path) -> None:
    service_account(workplace, "0.1.0")

    _, report = run(workplace, MINIMAL)

    assert report == ["production", f"  written by 0.1.0, now {__version__}"]


def test_upgrade_refuses_manifests_of_newer_version(workplace: Path) -> None:
    service_account(workplace, "99.0.0")

    with pytest.raises(UpgradeError, match=r"was written by version 99.0.0, which is newer; install that"):
        run(workplace, MINIMAL)


def test_upgrade_command_reports_and_renews_schema(workplace: Path) -> None:
    schema = workplace / "environments" / "environment.schema.json"
    schema.write_text("{}")

    done = CliRunner().invoke(app, ["upgrade"])

    assert done.exit_code == 0, done.output
    assert done.stdout.startswith(f"production\n  written by a version before 0.1.0, now {__version__}\n")
    assert "note: what the manifests change is not shown: this folder is in no git repository" in done.stdout
    assert len(schema.read_text()) > 1000


def test_manifests_say_which_version_wrote_them(workplace: Path) -> None:
    assert CliRunner().invoke(app, ["synth"]).exit_code == 0

    assert written_by(workplace / "dist" / "production") == __version__


def test_history_agrees_with_settings() -> None:
    def value(key: str) -> object:
        settings: object = Settings.model_validate(
            {"ingress": {"host": "a.example.com"}, "authentication": {"keycloak_host": "b.example.com"}}
        )
        return reduce(getattr, key.split("."), settings)

    defaults = {default.key: default.after for entry in HISTORY for default in entry.defaults}
    renamed = {old: new for entry in HISTORY for old, new in entry.renamed.items()}
    assert {key: value(key) for key in defaults} == defaults
    assert [new for new in renamed.values() if value(new) is None] == []


def test_history_is_in_order_and_not_ahead() -> None:
    versions = [order(entry.version) for entry in HISTORY]

    assert versions == sorted(versions)
    assert versions[-1] <= order(__version__)


@pytest.mark.parametrize(("written", "count"), [(None, 1), ("0.0.9", 1), ("0.1.0", 0), ("0.10.0", 0)])
def test_history_since_version(written: str | None, count: int) -> None:
    assert len(since(written, history=FUTURE)) == count


OLD = """ingress:
  host: mlflow.example.com
  # a hole of 3.6.0
  block_unchecked_paths: true # until upstream
authentication:
  keycloak_host: auth.example.com
server:
  extra_arguments: [] # none yet
  replicas: 1
  workers: 2
delivery:
  tools: [flux]
"""
"""What 0.1.0's predecessors accepted."""


def test_upgrade_removes_settings_that_are_gone(workplace: Path) -> None:
    file = workplace / "environments" / "production.yaml"
    file.write_text(OLD)

    with pytest.raises(InvalidSettingsError, match="block_unchecked_paths"):
        load(file)
    (found,) = upgrade(file.parent, workplace / "dist", write=True)

    assert load(file).server.replicas == 1
    assert "extra_arguments" not in file.read_text()
    assert "  replicas: 1\n  workers: 2\n" in file.read_text()
    assert [line for line in found.lines() if "removed" in line] == [
        f"  removed: {key}: {why}" for key, why in HISTORY[0].removed.items()
    ]
    assert any(line.startswith("  default: delivery.retries 20 → 5") for line in found.lines())


def test_upgrade_removes_section_left_empty(workplace: Path) -> None:
    file = workplace / "environments" / "production.yaml"
    file.write_text(f"{MINIMAL}server:\n  extra_arguments: [--gunicorn-opts]\nrelease: 3.6.0\n")

    upgrade(file.parent, workplace / "dist", write=True)

    assert file.read_text() == f"{MINIMAL}release: 3.6.0\n"


def test_upgrade_check_leaves_removed_settings(workplace: Path) -> None:
    file = workplace / "environments" / "production.yaml"
    file.write_text(OLD)

    upgrade(file.parent, workplace / "dist", write=False)

    assert file.read_text() == OLD


def test_history_names_every_setting_that_went() -> None:
    ever = Path(__file__).with_name("settings_ever.txt").read_text().split()
    known = {key for entry in HISTORY for key in (*entry.renamed, *entry.removed)}

    assert [key for key in ever if key not in known and not exists(key)] == []
    assert [key for key in known if exists(key)] == []


def exists(key: str) -> bool:
    """Whether a setting of one section or none has this dotted key."""
    section, _, name = key.partition(".")
    field = Settings.model_fields.get(section)
    return field is not None and (not name or name in getattr(field.annotation, "model_fields", {}))
