"""Images that stand for the public ones of ``cdk8s-mlflow try``, since no registry can be reached from here."""

import shutil
import tempfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from cdk8s_mlflow.trial.settings import IMAGES
from live.image.built import buildah, debian_image
from live.node.images import StaticImage
from live.node.programs import Programs
from live.servers.cache import cache_root, go_program, locked, maven_archive, say
from live.servers.keycloak_build import VERSION as KEYCLOAK
from live.servers.minio import MODULE as MINIO_MODULE
from live.servers.minio import VERSION as MINIO

_CONTEXT = Path(__file__).with_name("public")


def public_images(programs: Programs) -> Iterator[Path]:
    """An archive of each, named as the settings name it; created once."""
    folder = cache_root() / "node" / "images"
    folder.mkdir(parents=True, exist_ok=True)
    traefik = programs.go / "traefik"
    archive = folder / f"public-traefik-{_digest(IMAGES['traefik'], str(traefik.stat().st_mtime_ns))}.tar"
    if not archive.exists():
        StaticImage(name=IMAGES["traefik"], programs={"traefik": traefik}).write(archive)
    yield archive
    made_of = "".join(file.read_text() for file in sorted(_CONTEXT.iterdir()))
    for name in ("postgres", "redis", "minio", "keycloak"):
        archive = folder / f"public-{name}-{_digest(IMAGES[name], made_of, KEYCLOAK, MINIO)}.tar"
        with locked("public-images"):
            if not archive.exists():
                say(f"building an image that stands for {IMAGES[name]}, once")
                _build(name, archive)
        yield archive


def _build(name: str, archive: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        context = Path(folder) / "context"
        shutil.copytree(_CONTEXT, context)
        if name == "minio":
            shutil.copy(go_program(MINIO_MODULE, MINIO), context / "minio")
        if name == "keycloak":
            shutil.unpack_archive(maven_archive(f"org.keycloak:keycloak-quarkus-dist:{KEYCLOAK}:zip"), folder)
            shutil.copytree(Path(folder) / f"keycloak-{KEYCLOAK}", context / "keycloak")
            (context / "keycloak/bin/kc.sh").chmod(0o755)
        options = ["--layers", "--build-arg", f"DEBIAN={debian_image()}", "--target", name]
        tag = f"localhost/public-{name}"
        buildah("build", *options, "--tag", tag, str(context))
    # A push that is killed would leave half an archive under the right name.
    unfinished = archive.with_suffix(".unfinished")
    buildah("push", tag, f"docker-archive:{unfinished}:{IMAGES[name]}")
    unfinished.replace(archive)


def _digest(*parts: str) -> str:
    return sha256("\n".join(parts).encode()).hexdigest()[:12]
