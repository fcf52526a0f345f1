"""Archives of images in the cache, which several nodes read and write at the same time."""

import fcntl
import tarfile
from pathlib import Path

import pytest

from live.image.archive import delete_unused
from live.node.images import StaticImage


def write(target: Path) -> None:
    StaticImage(name="docker.io/node/tried:1", programs={"true": Path("/bin/true")}).write(target)


def test_archive_is_never_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "tried.tar"
    write(target)
    complete = target.read_bytes()
    adding = tarfile.TarFile.addfile

    def look_then_add(tar: tarfile.TarFile, entry: tarfile.TarInfo, content: object = None) -> None:
        assert target.read_bytes() == complete
        adding(tar, entry, content)  # type: ignore[arg-type]

    # At each moment of the second writing another node may read.
    monkeypatch.setattr(tarfile.TarFile, "addfile", look_then_add)
    write(target)

    assert target.read_bytes() == complete
    assert list(tmp_path.iterdir()) == [target]


def test_archive_is_kept_while_node_takes_it_in(tmp_path: Path) -> None:
    for name in ("used", "unused"):
        (tmp_path / f"3.6.0-{name}.tar").touch()
    with (tmp_path / "3.6.0-used.tar").open() as use:
        fcntl.flock(use, fcntl.LOCK_SH)

        delete_unused(tmp_path, "3.6.0-*")

    assert [file.name for file in tmp_path.iterdir()] == ["3.6.0-used.tar"]
