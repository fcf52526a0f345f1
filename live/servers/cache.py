"""Where the servers' programs come from: Debian and the registries of Go, Rust, Java and npm, kept between runs."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path


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
def _missing(target: Path, name: str, announcement: str) -> Iterator[bool]:
    """Whether ``target`` has to be made, which is announced and which no other process does meanwhile."""
    if target.exists():
        yield False
        return
    with locked(name):
        # Again, since another process may have made it while this one waited.
        missing = not target.exists()
        if missing:
            say(announcement)
        yield missing


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


def go_program(module: str, version: str) -> Path:
    """The command of the Go ``module`` at ``version``, built once.

    Raises:
        MissingProgramError: there is no Go, or the build fails.
    """
    name = module.rsplit("/", 1)[-1]
    target = cache_root() / "go" / version / name
    with _missing(target, name, f"building {name} {version}, once; this takes some minutes") as missing:
        if missing:
            _build(module, version, target)
    return target


def _build(module: str, version: str, target: Path) -> None:
    require("go", "golang")
    with scratch_folder(target) as scratch:
        go = {"GOBIN": str(scratch), "GOFLAGS": "-trimpath"}
        run_quietly(["go", "install", f"{module}@{version}"], environment=go)
        (scratch / target.name).replace(target)


def go_checkout(module: str, version: str, *, package: str) -> Path:
    """The command ``package`` of a ``module`` that replaces dependencies, so that only its own checkout builds it.

    Raises:
        MissingProgramError: there is no Go, or the build fails.
    """
    target = cache_root() / "go" / version / package
    with _missing(target, package, f"building {package} {version}, once; this takes some minutes") as missing:
        if missing:
            _build_checkout(module, version, package, target)
    return target


def _build_checkout(module: str, version: str, package: str, target: Path) -> None:
    require("go", "golang")
    target.parent.mkdir(parents=True, exist_ok=True)
    found = json.loads(run_quietly(["go", "mod", "download", "-json", f"{module}@{version}"], folder=Path("/")))
    unfinished = target.with_name(f"{target.name}.unfinished")
    with tempfile.TemporaryDirectory(prefix="checkout-") as folder:
        # The module cache is read-only, and a build may write go.sum.
        checkout = shutil.copytree(found["Dir"], Path(folder) / "source")
        run_quietly(["chmod", "-R", "u+w", str(checkout)])
        run_quietly(["go", "build", "-trimpath", "-o", str(unfinished), f"./{package}"], folder=checkout)
    unfinished.replace(target)


def cargo_program(crate: str, version: str) -> Path:
    """The command of a ``crate``, built once by its own lock.

    Raises:
        MissingProgramError: there is no cargo, or the build fails.
    """
    folder = cache_root() / "cargo" / f"{crate}-{version}"
    with _missing(folder, crate, f"building {crate} {version}, once; this takes some 20 minutes") as missing:
        if missing:
            _build_crate(crate, version, folder)
    return folder / "bin" / crate


def _build_crate(crate: str, version: str, folder: Path) -> None:
    require("cargo", "cargo")
    # Less optimised, since a test waits longer for the compiler than for the server.
    quick = {"CARGO_PROFILE_RELEASE_OPT_LEVEL": "1"}
    with scratch_folder(folder) as scratch, tempfile.TemporaryDirectory(prefix="crate-") as target:
        where = [f"--root={scratch}", f"--target-dir={target}"]
        run_quietly(
            ["cargo", "install", "--quiet", "--locked", *where, f"--version={version}", crate], environment=quick
        )
        scratch.replace(folder)


def maven_archive(coordinates: str) -> Path:
    """The archive with the Maven ``coordinates`` (group:artifact:version:type), fetched once.

    Raises:
        MissingProgramError: there is no Maven, or it cannot fetch the archive.
    """
    _, artifact, version, kind = coordinates.split(":")
    target = cache_root() / "maven" / f"{artifact}-{version}.{kind}"
    with _missing(target, artifact, f"fetching {artifact} {version}, once") as missing:
        if missing:
            _fetch(coordinates, target)
    return target


def _fetch(coordinates: str, target: Path) -> None:
    require("mvn", "maven")
    with scratch_folder(target) as scratch:
        run_quietly(["mvn", "-q", "-B", "dependency:copy", f"-Dartifact={coordinates}", f"-DoutputDirectory={scratch}"])
        (scratch / target.name).replace(target)


def npm_program(package: str, version: str, *, command: str) -> Path:
    """The script ``command`` of an npm ``package`` at ``version``, installed once; none of its own scripts is run.

    Raises:
        MissingProgramError: there is no npm, or it cannot install the package.
    """
    return npm_modules(package, version) / ".bin" / command


def npm_modules(package: str, version: str) -> Path:
    """The folder ``node_modules`` with an npm ``package`` and what it needs; else as :func:`npm_program`."""
    folder = cache_root() / "npm" / f"{package}-{version}"
    with _missing(folder, package, f"installing {package} {version}, once") as missing:
        if missing:
            _install(f"{package}@{version}", folder)
    return folder / "node_modules"


def _install(package: str, folder: Path) -> None:
    require("npm", "npm")
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    with scratch_folder(folder) as scratch:
        run_quietly(["npm", "install", f"--prefix={scratch}", *options, package], folder=scratch)
        scratch.replace(folder)


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
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        last = "\n".join((done.stdout + done.stderr).strip().splitlines()[-10:])
        raise MissingProgramError(f"`{' '.join(command)}` failed with {done.returncode}:\n{last}")
    return done.stdout


def say(line: str) -> None:
    """Tell whoever waits."""
    print(line, file=sys.stderr, flush=True)
