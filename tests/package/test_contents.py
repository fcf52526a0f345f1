"""What the wheel and the source distribution hold."""

import subprocess
import sys
import zipfile
from pathlib import Path

from installation import ROOT

CHECK = ROOT / "tools" / "check_wheel.py"


def files(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_wheel_passes_check_of_its_contents(wheel: Path) -> None:
    done = subprocess.run([sys.executable, CHECK, wheel], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")


def test_sdist_builds_same_wheel(wheel: Path, wheel_of_sdist: Path) -> None:
    # By their files: the archives differ in times.
    assert files(wheel_of_sdist) == files(wheel)


def test_check_refuses_stray_file(wheel: Path, tmp_path: Path) -> None:
    changed = tmp_path / wheel.name
    with zipfile.ZipFile(changed, "w") as archive:
        for name, content in files(wheel).items():
            archive.writestr(name, content)
        # live/ belongs to the checkout only.
        archive.writestr("live/local.py", "")

    done = subprocess.run([sys.executable, CHECK, changed], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (
        1,
        "error: live/local.py: no line of tools/wheel_contents.txt allows it\n",
    )


def test_check_notices_missing_file(wheel: Path, tmp_path: Path) -> None:
    changed = tmp_path / wheel.name
    with zipfile.ZipFile(changed, "w") as archive:
        for name, content in files(wheel).items():
            # Without it no image can be built from the wheel.
            if not name.endswith("context/Dockerfile"):
                archive.writestr(name, content)

    done = subprocess.run([sys.executable, CHECK, changed], capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert done.stderr.startswith("error: cdk8s_mlflow/publishing/context/Dockerfile: is missing")
