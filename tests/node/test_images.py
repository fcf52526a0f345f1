"""What a node keeps of the images that it was given."""

from hashlib import sha256
from pathlib import Path

import pytest

from live.node.components import CONTAINERD
from live.node.images import StaticImage
from live.node.node import Node

pytestmark = pytest.mark.servers

NAME = "docker.io/node/built:1"
OTHER = "docker.io/node/kept:1"


def build(node: Node, folder: Path, number: int, *, name: str = NAME) -> str:
    """Give the node a build of ``name`` that no other number has, named by identity as pods name it; its digest."""
    archive = folder / f"{name.replace('/', '-')}-{number}.tar"
    # Other arguments give another digest.
    StaticImage(name=name, programs={"true": Path("/bin/true")}, arguments=[folder.name, str(number)]).write(archive)
    node.import_image(archive)
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
