"""Programs that only tests start, from the registries of Go, Rust and npm, kept between runs."""

import json
import shutil
import tempfile
from pathlib import Path

from live.servers.cache import cache_root, make_once, require, run_quietly


def go_checkout(module: str, version: str, *, package: str) -> Path:
    """The command ``package`` of a ``module`` that replaces dependencies, so that only its own checkout builds it.

    Raises:
        MissingProgramError: there is no Go, or the build fails.
    """

    def build(scratch: Path) -> Path:
        require("go", "golang")
        found = json.loads(run_quietly(["go", "mod", "download", "-json", f"{module}@{version}"], folder=Path("/")))
        # The module cache is read-only, and a build may write go.sum.
        checkout = shutil.copytree(found["Dir"], scratch / "source")
        run_quietly(["chmod", "-R", "u+w", str(checkout)])
        run_quietly(["go", "build", "-trimpath", "-o", str(scratch / package), f"./{package}"], folder=checkout)
        return scratch / package

    target = cache_root() / "go" / version / package
    return make_once(target, f"building {package} {version} (some minutes)", build)


def cargo_program(crate: str, version: str) -> Path:
    """The command of a ``crate``, built once by its own lock.

    Raises:
        MissingProgramError: there is no cargo, or the build fails.
    """

    def build(scratch: Path) -> Path:
        require("cargo", "cargo")
        # Less optimised, since a test waits longer for the compiler than for the server.
        quick = {"CARGO_PROFILE_RELEASE_OPT_LEVEL": "1"}
        with tempfile.TemporaryDirectory(prefix="crate-") as target:
            where = [f"--root={scratch}", f"--target-dir={target}"]
            install = ["cargo", "install", "--quiet", "--locked", *where, f"--version={version}", crate]
            run_quietly(install, environment=quick)
        return scratch

    folder = cache_root() / "cargo" / f"{crate}-{version}"
    return make_once(folder, f"building {crate} {version} (some 20 minutes)", build) / "bin" / crate


def npm_program(package: str, version: str, *, command: str) -> Path:
    """The script ``command`` of an npm ``package`` at ``version``, installed once; none of its own scripts is run.

    Raises:
        MissingProgramError: there is no npm, or it cannot install the package.
    """
    return npm_modules(package, version) / ".bin" / command


def npm_modules(package: str, version: str) -> Path:
    """The folder ``node_modules`` with an npm ``package`` and what it needs; else as :func:`npm_program`."""

    def install(scratch: Path) -> Path:
        require("npm", "npm")
        options = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        run_quietly(["npm", "install", f"--prefix={scratch}", *options, f"{package}@{version}"], folder=scratch)
        return scratch

    folder = cache_root() / "npm" / f"{package}-{version}"
    return make_once(folder, f"installing {package} {version}", install) / "node_modules"
