"""What a node needs beside its own programs before it is of use: DNS, definitions, Traefik, and their images."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from live.node.components import PAUSE_IMAGE
from live.node.images import StaticImage

if TYPE_CHECKING:
    from live.node.node import Node

MANIFESTS = Path(__file__).with_name("manifests")


def static_images(programs: Path) -> Iterator[Path]:
    """An archive of each image, written when its program is newer; ``programs`` is the folder of the static ones."""
    for image in (
        StaticImage(name=PAUSE_IMAGE, programs={"forward": programs / "forward"}, arguments=["pause"]),
        StaticImage(name="docker.io/node/coredns:1", programs={"coredns": programs / "coredns"}),
        StaticImage(name="docker.io/node/traefik:1", programs={"traefik": programs / "traefik"}),
    ):
        archive = programs.parent / f"{image.name.rpartition('/')[2].partition(':')[0]}.tar"
        newest = max(file.stat().st_mtime for file in image.programs.values())
        if not archive.exists() or archive.stat().st_mtime < newest:
            image.write(archive)
        yield archive


def apply_addons(node: "Node", definitions: Path) -> None:
    """Apply CoreDNS, Traefik and the CustomResourceDefinitions of the folder ``definitions``; wait for the pods.

    Raises:
        NodeError: an object is refused, or a pod is not ready in time.
    """
    rewrites = "".join(
        f"        rewrite name exact {name} traefik.kube-system.svc.cluster.local answer auto\n" for name in node.names
    )
    dns = (MANIFESTS / "coredns.yaml").read_text().replace("        # PUBLIC NAMES\n", rewrites)
    node.kubectl("apply", "--server-side", "--filename", "-", stdin=dns)
    node.apply(*sorted(definitions.glob("*.yaml")))
    # Traefik starts to watch only if every kind that it knows is served.
    node.kubectl_wait("condition=Established", "crd", "--all")
    traefik = (MANIFESTS / "traefik.yaml").read_text().replace("PUBLIC_PORT", str(node.https_port))
    node.kubectl("apply", "--server-side", "--filename", "-", stdin=traefik)
    for name in ("coredns", "traefik"):
        node.kubectl_wait("condition=Available", f"deployment/{name}", "--namespace", "kube-system")
