"""Compare a wheel with tools/wheel_contents.txt: ``python tools/check_wheel.py WHEEL``; exit 1 if they differ."""

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
LIST = Path(__file__).with_name("wheel_contents.txt")
METADATA = ("METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE")


def expected(wheel: Path) -> dict[str, bytes | None]:
    """Content by path in ``wheel``; None for what the build itself writes."""
    name, version, *_ = wheel.name.split("-")
    contents: dict[str, bytes | None] = {f"{name}-{version}.dist-info/{file}": None for file in METADATA}
    for line in LIST.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            target, source = line.split()
            for file in _files(source):
                # Bytes, so that a file that the build rewrites is noticed.
                contents[target + file.removeprefix(source)] = (ROOT / file).read_bytes()
    return contents


def _files(source: str) -> list[str]:
    # By git: a checkout also has bytecode and caches, which hatchling leaves out as git does.
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", source]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [file for file in listed.split("\0") if file and (ROOT / file).is_file()]


def problems(wheel: Path) -> list[str]:
    """A line for each file of ``wheel`` that is missing, stray or changed."""
    wanted = expected(wheel)
    with zipfile.ZipFile(wheel) as archive:
        found = {name: archive.read(name) for name in archive.namelist()}
    stray = [f"{name}: no line of tools/wheel_contents.txt allows it" for name in found.keys() - wanted.keys()]
    missing = [f"{name}: is missing" for name in wanted.keys() - found.keys()]
    both = [name for name in wanted.keys() & found.keys() if wanted[name] is not None]
    changed = [f"{name}: differs from the checkout" for name in both if wanted[name] != found[name]]
    return sorted([*stray, *missing, *changed])


def main() -> None:
    """Check the wheel that the command line names."""
    found = problems(Path(sys.argv[1]))
    for problem in found:
        print(f"error: {problem}", file=sys.stderr)
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
