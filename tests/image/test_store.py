"""The store of built images does not grow for ever."""

from pathlib import Path

import pytest

from live.image.built import bound_store, buildah
from testbed.image.built_image import mounted

pytestmark = [pytest.mark.servers, pytest.mark.either_release]

NAME = "localhost/built/thing:1"


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty one."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def build(folder: Path, content: str) -> set[str]:
    """Build ``NAME``, which then is another image; all images of the store."""
    (folder / "file").write_text(content)
    (folder / "Dockerfile").write_text("FROM scratch AS first\nCOPY file /a\nFROM scratch\nCOPY --from=first /a /b\n")
    buildah("build", "--layers", "--tag", NAME, str(folder))
    return stored()


def stored() -> set[str]:
    return set(buildah("images", "--all", "--quiet", "--no-trunc").split())


def test_store_above_limit_keeps_named_images(tmp_path: Path) -> None:
    older = build(tmp_path, "1")
    newest = build(tmp_path, "2") - older

    removed = bound_store(limit=0)

    assert removed
    left = stored()
    assert left
    # The layers of the first stage have no name, and go.
    assert left < newest
    assert buildah("images", "--quiet", "--no-trunc", "--filter", f"reference={NAME}").strip() in left


def test_store_below_limit_keeps_older_builds(tmp_path: Path) -> None:
    before = build(tmp_path, "1") | build(tmp_path, "2")

    assert not bound_store()

    assert stored() == before


def test_store_in_use_keeps_older_builds(tmp_path: Path) -> None:
    build(tmp_path, "1")
    with mounted(NAME) as root:
        before = build(tmp_path, "2")

        assert not bound_store(limit=0)

        assert (root / "b").read_text() == "1"
        assert stored() == before


def test_store_forgets_containers_of_killed_builds(tmp_path: Path) -> None:
    build(tmp_path, "1")
    # A build that is killed leaves its container behind like this.
    buildah("from", "--pull-never", NAME)
    build(tmp_path, "2")

    assert bound_store(limit=0)

    assert buildah("containers", "--all", "--quiet") == ""
    assert len(stored()) == 1
