"""Where the servers' programs come from: Debian and the registries of Go and Java, kept between runs."""

import fcntl
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from live.commands import run_to_end


class MissingProgramError(Exception):
    """A program is missing and cannot be installed from here; the text says which package brings it."""


def cache_root() -> Path:
    """``$XDG_CACHE_HOME/cdk8s-mlflow``, created if it is missing (XDG Base Directory Specification)."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    root = Path(base) / "cdk8s-mlflow"
    root.mkdir(parents=True, exist_ok=True)
    return root


@contextmanager
def locked(name: str) -> Iterator[Path]:
    """The cache folder, while no other process is at work on ``name``."""
    root = cache_root()
    with (root / f".{name}.lock").open("w") as lock:
        # The kernel releases it when the process ends, however it ends.
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield root


@contextmanager
def scratch_folder(target: Path) -> Iterator[Path]:
    """An empty folder beside ``target``, in which it is made; deleted in the end, or by the next one after a kill."""
    # Of its own for each: others are made at the same time in the same folder.
    scratch = target.with_name(f"{target.name}.unfinished")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def debian_program(name: str, *, package: str, folders: str = "/usr/bin") -> Path:
    """The program ``name`` of the Debian ``package``, installed with apt-get where we are root and it is missing.

    ``folders`` is a pattern below the root; of several matches the newest version wins.

    Raises:
        MissingProgramError: the program is missing and cannot be installed.
    """
    found = _find(name, folders)
    if found:
        return found
    with locked("apt"):
        # Again, since another process may have installed it while this one waited.
        if not _find(name, folders):
            _apt_install(package)
        found = _find(name, folders)
    if not found:
        raise MissingProgramError(f"{name} is missing; install the Debian package {package}")
    return found


def _find(name: str, folders: str) -> Path | None:
    matches = [path for path in Path("/").glob(f"{folders.lstrip('/')}/{name}") if os.access(path, os.X_OK)]
    return max(matches, key=_version, default=None)


def _version(path: Path) -> list[int]:
    return [int(part) for part in path.parts if part.isdigit()]


def _apt_install(package: str) -> None:
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return
    say(f"installing the Debian package {package}")
    # RUNLEVEL=1 keeps the package from starting a service of its own.
    quiet = {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    run_quietly(["apt-get", "update", "-qq"], environment=quiet)
    run_quietly(["apt-get", "install", "-qq", "-y", "--no-install-recommends", package], environment=quiet)


def make_once(target: Path, announcement: str, make: Callable[[Path], Path]) -> Path:
    """``target``, made first if it is missing, by one process of the machine.

    ``make`` gets an empty folder and returns what it has made there, which becomes ``target`` whole or not at all.
    """
    if not target.exists():
        with locked(target.name):
            # Again, since another process may have made it while this one waited.
            if not target.exists():
                say(f"{announcement}, once")
                with scratch_folder(target) as scratch:
                    make(scratch).replace(target)
    return target


def go_program(module: str, version: str) -> Path:
    """The command of the Go ``module`` at ``version``, built once.

    Raises:
        MissingProgramError: there is no Go, or the build fails.
    """
    name = module.rsplit("/", 1)[-1]

    def build(scratch: Path) -> Path:
        require("go", "golang")
        go = {"GOBIN": str(scratch), "GOFLAGS": "-trimpath"}
        run_quietly(["go", "install", f"{module}@{version}"], environment=go)
        return scratch / name

    return make_once(cache_root() / "go" / version / name, f"building {name} {version} (some minutes)", build)


def maven_archive(coordinates: str) -> Path:
    """The archive with the Maven ``coordinates`` (group:artifact:version:type), fetched once.

    Raises:
        MissingProgramError: there is no Maven, or it cannot fetch the archive.
    """
    _, artifact, version, kind = coordinates.split(":")
    target = cache_root() / "maven" / f"{artifact}-{version}.{kind}"

    def fetch(scratch: Path) -> Path:
        require("mvn", "maven")
        run_quietly(["mvn", "-q", "-B", "dependency:copy", f"-Dartifact={coordinates}", f"-DoutputDirectory={scratch}"])
        return scratch / target.name

    return make_once(target, f"fetching {artifact} {version}", fetch)


def require(program: str, package: str) -> None:
    """Raise ``MissingProgramError`` unless ``program`` is on the PATH."""
    if not shutil.which(program):
        raise MissingProgramError(f"{program} is missing; install the Debian package {package}")


def run_quietly(
    command: Sequence[str], *, environment: Mapping[str, str] | None = None, folder: Path | None = None
) -> str:
    """Run ``command`` to its end; its standard output.

    Raises:
        MissingProgramError: its exit code is not 0; the text has the end of what it printed.
    """
    done = run_to_end(command, environment={**os.environ, **(environment or {})}, folder=folder)
    if done.returncode:
        last = "\n".join((done.stdout + done.stderr).strip().splitlines()[-10:])
        raise MissingProgramError(f"`{' '.join(command)}` failed with {done.returncode}:\n{last}")
    return done.stdout


def say(line: str) -> None:
    """Tell whoever waits."""
    print(line, file=sys.stderr, flush=True)
