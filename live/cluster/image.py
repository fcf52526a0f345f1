"""The image that a manifest names, as a Python environment made from the same lock."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


class MissingImageError(Exception):
    """The environment of a release is not set up; the text says how."""


@dataclass(frozen=True, slots=True)
class Image:
    """Where an image's programs are on this machine."""

    release: str
    reference: str
    """How manifests name it."""
    needed: tuple[Path, ...]
    """Folders without which its programs do not run."""

    @property
    def venv(self) -> Path:
        """The Python environment of the release."""
        return self.needed[0]

    @property
    def environment(self) -> dict[str, str]:
        """What the image sets for every container."""
        return {"PATH": f"{self.venv}/bin:/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1"}


def image_of(release: str, *, reference: str) -> Image:
    """The image of a release, from the environment that `make setup-image` makes.

    Raises:
        MissingImageError: it has not been made.
    """
    venv = ROOT / f".venv-image-{release}"
    if not (venv / "bin" / "mlflow-sso").exists():
        raise MissingImageError(f"release {release} is not installed; run `make setup-image`")
    base = subprocess.run(
        [venv / "bin" / "python", "-c", "import sys; print(sys.base_prefix)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return Image(release, reference, (venv, ROOT / "image", Path(base.stdout.strip())))
