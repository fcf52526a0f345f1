"""The images of a node, which the next node of its slot finds again."""

import json
import re
import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path

from live.node import components
from live.node.slots import importing
from live.servers.process import ServerError

_CTR = ("ctr", "--address", components.CONTAINERD, "--namespace", "k8s.io", "images")
_UNPACKED = re.compile(r"^unpacking (\S+) \((sha256:\w+)\)", re.MULTILINE)
"""What an import says of each image: reference and digest."""
_ONE_AT_A_TIME = threading.Lock()


class ImageStore(ABC):
    """Adds images to a node that runs containerd."""

    @property
    @abstractmethod
    def image_folder(self) -> Path:
        """Where containerd keeps them."""

    @abstractmethod
    def run(self, *command: str, check: bool = True) -> str:
        """Run ``command`` on the node; its standard output."""

    def import_image(self, archive: Path) -> None:
        """Take an image archive into the node, unless it has taken the very same one and still has its images."""
        note = self.image_folder / "taken" / archive.name
        state = f"{archive.stat().st_size} {archive.stat().st_mtime_ns}"
        # Two systems of one release want the same archive, and two processors import no two faster than one.
        with _ONE_AT_A_TIME:
            if self._has(note, state):
                return
            with importing(self.image_folder):
                said = self.run(*_CTR, "import", str(archive))
            taken = dict(_UNPACKED.findall(said))
            if not taken:
                raise ServerError(f"an import of {archive} names no image: {said}")
            note.parent.mkdir(exist_ok=True)
            note.write_text(json.dumps({"state": state, "images": taken}))

    def _has(self, note: Path, state: str) -> bool:
        try:
            taken = json.loads(note.read_text())
        # A note may be cut short by a kill, or be of an older form.
        except (FileNotFoundError, ValueError):
            return False
        # Another archive may have taken the name since, and this one's image have been removed.
        return bool(taken["state"] == state and taken["images"].items() <= self.images().items())

    def remove_replaced_images(self) -> None:
        """Delete images of which only the identity is left, since their names belong to newer builds."""
        images = self.images()
        named = {digest for reference, digest in images.items() if not _is_identity(reference)}
        if replaced := [reference for reference, digest in images.items() if digest not in named]:
            self.run(*_CTR, "rm", "--sync", *replaced)

    def images(self) -> Mapping[str, str]:
        """Digest by reference of every image that the node has."""
        lines = self.run(*_CTR, "ls").splitlines()[1:]
        return {reference: digest for reference, _, digest, *_ in map(str.split, lines)}


def _is_identity(reference: str) -> bool:
    return reference.startswith("sha256:")
