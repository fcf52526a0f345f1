"""Images that a slot keeps for its next node."""

import os
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from live.node.slots import cgroup_name, discard_unfinished, importing


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "slot-1.images"
    (folder / "blobs").mkdir(parents=True)
    return folder


def test_slot_keeps_images_of_finished_import(images: Path) -> None:
    with importing(images):
        (images / "blobs" / "one").touch()

    discard_unfinished(images)

    assert (images / "blobs" / "one").exists()


def test_slot_takes_two_imports_at_the_same_time(images: Path) -> None:
    with ExitStack() as first, ExitStack() as second:
        first.enter_context(importing(images))
        second.enter_context(importing(images))
        first.close()

    discard_unfinished(images)

    assert images.exists()


def test_slot_discards_images_of_one_killed_import(images: Path) -> None:
    killed = importing(images)
    killed.__enter__()
    with importing(images):
        pass

    discard_unfinished(images)

    assert not images.exists()


def test_slot_discards_images_of_failed_import(images: Path) -> None:
    with pytest.raises(OSError, match="not found"), importing(images):
        raise OSError("parent snapshot: not found")

    discard_unfinished(images)

    assert not images.exists()


def test_slot_discards_images_of_killed_import(images: Path) -> None:
    program = "import os, sys; from pathlib import Path; from live.node.slots import importing\n"
    program += "with importing(Path(sys.argv[1])): os._exit(9)"
    # A killed process leaves its block without a word.
    assert subprocess.run([sys.executable, "-c", program, images], check=False).returncode == 9

    discard_unfinished(images)

    assert not images.exists()


def test_slot_killed_while_it_discards_keeps_no_half(images: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (images / "unfinished-1").touch()
    with monkeypatch.context() as killed:
        killed.setattr(shutil, "rmtree", lambda *_, **__: os.kill(os.getpid(), 2))
        with pytest.raises(KeyboardInterrupt):
            discard_unfinished(images)
    assert not images.exists()
    images.mkdir()

    discard_unfinished(images)

    assert list(images.parent.iterdir()) == [images]


def test_slot_of_another_cache_has_another_cgroup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = cgroup_name("1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    assert cgroup_name("1") != ours
