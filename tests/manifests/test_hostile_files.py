"""Files that no editor writes: endless, huge, or with a key that was pasted into the wrong place."""

import os
import time
from pathlib import Path

import pytest

from cdk8s_mlflow.settings import load
from cdk8s_mlflow.settings.errors import InvalidSettingsError, SettingsError, UnreadableSettingsError
from cdk8s_mlflow.settings.expansion import size_of
from cdk8s_mlflow.settings.sources import Override
from cdk8s_mlflow.synth.output_tree import atomic_replace
from tests.manifests.bad_files import document

LEVELS = "abcdefghijklmnopqrstuvwxyz"

ENDLESS = {
    "anchor that holds itself": document().replace("ingress:", "ingress: &a\n  more: *a"),
    "list that holds itself": document("labels: &a [*a]\n"),
    "deep nesting": document(f"labels: {'[' * 3000}{']' * 3000}\n"),
    # Twenty-five lines that stand for 9 to the power of 25 values.
    "anchors of anchors": document(
        "x0: &a [x]\n" + "".join(f"x{n}: &{LEVELS[n]} [{', '.join([f'*{LEVELS[n - 1]}'] * 9)}]\n" for n in range(1, 26))
    ),
}

PASTED = {
    "secret access key as a user": ("artifacts", "user", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
    "secret access key as a bucket": ("artifacts", "bucket", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
    "private key of age": ("backup", "recipients", f"[AGE-SECRET-KEY-1{'QPZRY9X8GF2TVDW0' * 3}]"),
    "new token of GitHub": ("image", "tag", f"github_pat_11ABCDEFG0{'abcDEF123' * 5}"),
    "password as a schedule": ("backup", "schedule", "Xk29sLq0PzT7vB4nM8wR"),
    "binary": ("image", "tag", "!!binary d0phbHJYVXRuRkVNSUs3TURFTkc="),
}

LONG = ("x" * 100_000, "a-" * 50_000, "x." * 50_000, "https://" + "a." * 50_000, "eyJ-" * 25_000, "a@" * 50_000)


@pytest.mark.parametrize("case", ENDLESS)
def test_endless_document_is_refused(case: str, tmp_path: Path) -> None:
    file = tmp_path / "production.yaml"
    file.write_text(ENDLESS[case])

    with pytest.raises(UnreadableSettingsError, match=r"production\.yaml: holds itself by an anchor"):
        load(file)


def test_anchor_that_is_used_twice_is_taken(tmp_path: Path) -> None:
    file = tmp_path / "production.yaml"
    file.write_text(document("labels: &team {team: ml}\npods:\n  labels: *team\n"))

    assert load(file).pods.labels == {"team": "ml"}


def test_size_counts_what_anchors_stand_for() -> None:
    shared = ["a", "b"]

    assert size_of({"one": shared, "two": shared}) == 7


@pytest.mark.parametrize("case", PASTED)
def test_pasted_secret_is_not_shown(case: str, tmp_path: Path) -> None:
    section, key, value = PASTED[case]
    file = tmp_path / "production.yaml"
    file.write_text(document(f"{section}:\n  {key}: {value}\n"))

    with pytest.raises(InvalidSettingsError) as refused:
        load(file)

    message = str(refused.value)
    assert f"{section}.{key}" in message
    assert value.strip("[]").split()[-1][-12:] not in message
    assert value.strip("[]").split()[-1][:12] not in message


@pytest.mark.parametrize("text", LONG, ids=lambda text: text[:8])
def test_long_text_is_refused_at_once(text: str, tmp_path: Path) -> None:
    file = tmp_path / "production.yaml"
    file.write_text(document(f"name: {text}\n"))
    began = time.process_time()

    with pytest.raises(SettingsError):
        load(file)

    assert time.process_time() - began < 5


def test_pipe_and_device_are_refused(tmp_path: Path) -> None:
    pipe, device = tmp_path / "pipe.yaml", tmp_path / "device.yaml"
    os.mkfifo(pipe)
    device.symlink_to("/dev/zero")

    for file in (pipe, device):
        with pytest.raises(UnreadableSettingsError, match="is a pipe or a device"):
            load(file)


def test_override_shows_no_secret() -> None:
    assert "hvs" not in str(Override("MLFLOW_HOST", "ingress.host", f"hvs.{'CAESIJ0a' * 4}"))
    assert str(Override("MLFLOW_HOST", "ingress.host", "m.example.com")).endswith("ingress.host: m.example.com")


def test_link_in_place_of_dist_stays_one(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "old").mkdir(parents=True)
    output = tmp_path / "dist"
    output.symlink_to(elsewhere)

    with atomic_replace(output) as fresh:
        (fresh / "new.yaml").touch()

    assert output.is_symlink()
    assert [path.name for path in elsewhere.iterdir()] == ["new.yaml"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dist", "elsewhere"]
