"""Keycloak as its archive is unpacked and built for a fast start."""

import hashlib
import zipfile
from pathlib import Path

from live.servers.cache import cache_root, make_once, maven_archive, require, run_quietly

VERSION = "26.5.6"


def build(path: str) -> Path:
    """Folder of a Keycloak that is served at ``path``, built if there is none.

    Raises:
        MissingProgramError: Java is missing, Keycloak cannot be fetched, or the build fails.
    """
    options = ["--db=dev-file", "--health-enabled=true", f"--http-relative-path={path or '/'}"]
    digest = hashlib.sha256(" ".join([VERSION, *options]).encode()).hexdigest()[:10]
    home = cache_root() / "keycloak" / f"{VERSION}-{digest}"
    archive = f"org.keycloak:keycloak-quarkus-dist:{VERSION}:zip"
    return make_once(home, "building Keycloak", lambda scratch: _build(maven_archive(archive), options, scratch))


def _build(archive: Path, options: list[str], scratch: Path) -> Path:
    require("java", "openjdk-17-jre-headless")
    with zipfile.ZipFile(archive) as files:
        files.extractall(scratch)
    unpacked = scratch / f"keycloak-{VERSION}"
    program = unpacked / "bin" / "kc.sh"
    program.chmod(0o755)
    # At build time, so that `start --optimized` need not do it again at each start.
    run_quietly([str(program), "build", *options])
    return unpacked
