"""The settings of the engines that build images, which several processes write and read at once."""

from pathlib import Path

from live.files import write_whole


def test_settings_are_never_read_half_written(tmp_path: Path) -> None:
    file = tmp_path / "storage.conf"
    write_whole(file, "driver = overlay")

    with file.open() as reader:
        write_whole(file, "driver = vfs")

        assert reader.read() == "driver = overlay"
    assert file.read_text() == "driver = vfs"
    assert [path.name for path in tmp_path.iterdir()] == ["storage.conf"]


def test_settings_that_are_right_are_left(tmp_path: Path) -> None:
    file = tmp_path / "storage.conf"
    write_whole(file, "driver = overlay")
    before = file.stat().st_ino

    write_whole(file, "driver = overlay")

    assert file.stat().st_ino == before
