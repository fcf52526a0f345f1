"""What a node keeps of the images that it was given."""

from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest

from live.node.components import CONTAINERD
from live.node.images import StaticImage
from live.node.node import Node

pytestmark = pytest.mark.servers

NAME = "docker.io/node/built:1"
OTHER = "docker.io/node/kept:1"


def archive_of(folder: Path, number: int, *, name: str = NAME) -> Path:
    return folder / f"{name.replace('/', '-')}-{number}.tar"


def write(folder: Path, number: int, *, name: str = NAME) -> Path:
    """An archive of ``name`` with a digest that no other number has."""
    archive = archive_of(folder, number, name=name)
    StaticImage(name=name, programs={"true": Path("/bin/true")}, arguments=[folder.name, str(number)]).write(archive)
    return archive


def build(node: Node, folder: Path, number: int, *, name: str = NAME) -> str:
    """Give the node a build of ``name`` that no other number has, named by identity as pods name it; its digest."""
    node.import_image(write(folder, number, name=name))
    digest = node.images()[name]
    identity = f"sha256:{sha256(digest.encode()).hexdigest()}"
    node.run("ctr", "--address", CONTAINERD, "--namespace", "k8s.io", "images", "tag", "--force", name, identity)
    return digest


def test_images_of_older_builds_are_removed(node: Node, tmp_path: Path) -> None:
    older = [build(node, tmp_path, number) for number in range(2)]
    newest = build(node, tmp_path, 2)
    before = node.images()
    named = {digest for reference, digest in before.items() if not reference.startswith("sha256:")}

    node.remove_replaced_images()

    left = node.images()
    # Its slot may have builds of an earlier run, too.
    assert set(older) <= set(before.values()) - set(left.values())
    assert newest in named
    assert named == set(left.values())


def test_images_with_another_name_stay(node: Node, tmp_path: Path) -> None:
    shared = build(node, tmp_path, 3)
    build(node, tmp_path, 3, name=OTHER)
    build(node, tmp_path, 4)

    node.remove_replaced_images()

    assert node.images()[OTHER] == shared


def test_images_of_running_pods_stay_usable(node: Node, tmp_path: Path) -> None:
    before = node.get("pods", "--namespace", "kube-system")["items"]
    build(node, tmp_path, 5)
    build(node, tmp_path, 6)

    node.remove_replaced_images()

    listed = node.images()
    used = {container["image"] for pod in before for container in pod["spec"]["containers"]}
    assert used
    assert used <= listed.keys()


def test_image_that_was_removed_is_taken_in_again(node: Node, tmp_path: Path) -> None:
    build(node, tmp_path, 7)
    node.run("ctr", "--address", CONTAINERD, "--namespace", "k8s.io", "images", "rm", "--sync", NAME)

    node.import_image(archive_of(tmp_path, 7))

    assert NAME in node.images()


def test_image_without_its_name_is_imported_again(node: Node, tmp_path: Path) -> None:
    first, _ = build(node, tmp_path, 8), build(node, tmp_path, 9)

    node.import_image(archive_of(tmp_path, 8))

    assert node.images()[NAME] == first


def test_image_of_older_notes_is_imported_again(node: Node, tmp_path: Path) -> None:
    build(node, tmp_path, 10)
    archive = archive_of(tmp_path, 10)
    note = node.image_folder / "taken" / archive.name
    note.write_text(f"{archive.stat().st_size} {archive.stat().st_mtime_ns}")

    node.import_image(archive)

    assert NAME in note.read_text()


def test_image_for_several_systems_is_imported_once(node: Node, tmp_path: Path) -> None:
    archive = write(tmp_path, 11)
    note = node.image_folder / "taken" / archive.name

    def taken(_: int) -> int:
        node.import_image(archive)
        return note.stat().st_mtime_ns

    with ThreadPoolExecutor(4) as threads:
        times = set(threads.map(taken, range(4)))

    assert len(times) == 1
