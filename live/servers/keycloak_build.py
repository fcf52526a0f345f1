"""Keycloak as its archive is unpacked and built for a fast start."""

import hashlib
import shutil
import subprocess
import zipfile
from pathlib import Path

from live.servers.cache import MissingProgramError, cache_root, locked, maven_archive, scratch_folder
from live.servers.process import ServerError

VERSION = "26.5.6"


def build(path: str) -> Path:
    """Folder of a Keycloak that is served at ``path``, built if there is none.

    Raises:
        MissingProgramError: Java is missing, or Keycloak cannot be fetched.
        ServerError: the build fails.
    """
    options = ["--db=dev-file", "--health-enabled=true", f"--http-relative-path={path or '/'}"]
    digest = hashlib.sha256(" ".join([VERSION, *options]).encode()).hexdigest()[:10]
    home = cache_root() / "keycloak" / f"{VERSION}-{digest}"
    if not home.exists():
        archive = maven_archive(f"org.keycloak:keycloak-quarkus-dist:{VERSION}:zip")
        with locked(f"keycloak-{digest}"):
            if not home.exists():
                _build(archive, options, home)
    return home


def _build(archive: Path, options: list[str], home: Path) -> None:
    if not shutil.which("java"):
        raise MissingProgramError("java is missing; install the Debian package openjdk-17-jre-headless")
    with scratch_folder(home) as scratch:
        with zipfile.ZipFile(archive) as files:
            files.extractall(scratch)
        unpacked = scratch / f"keycloak-{VERSION}"
        program = unpacked / "bin" / "kc.sh"
        program.chmod(0o755)
        # At build time, so that `start --optimized` need not do it again at each start.
        done = subprocess.run([program, "build", *options], capture_output=True, text=True, check=False)
        if done.returncode:
            raise ServerError(f"kc.sh build failed: {(done.stdout + done.stderr).strip()}")
        unpacked.rename(home)
