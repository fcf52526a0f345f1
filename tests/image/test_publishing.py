"""What `make build-image` and `make push-image` do before any engine works: names, engines and errors."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from cdk8s_mlflow.publishing.__main__ import main
from cdk8s_mlflow.publishing.base_images import pinned
from cdk8s_mlflow.releases import RELEASES

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "image" / "Dockerfile"

Publish = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def publish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Publish:
    """Calls the program in an empty folder, where no container engine is on the PATH, on any base image."""

    def run(step: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        with monkeypatch.context() as patched:
            patched.chdir(tmp_path)
            for name in os.environ:
                patched.delenv(name)
            for name, value in _environment(tmp_path, **variables).items():
                patched.setenv(name, value)
            code = main([step])
        return subprocess.CompletedProcess([step], code, *capfd.readouterr())

    return run


def _environment(folder: Path, **variables: str) -> Mapping[str, str]:
    return {"PATH": str(folder), "BASE_IMAGE_BY_TAG": "true", **variables}


@pytest.fixture
def recording_engine(tmp_path: Path) -> Path:
    """A program that answers as docker would and leaves the arguments and DOCKER_HOST of each call in a file."""
    program = tmp_path / "docker"
    calls = tmp_path / "calls"
    program.write_text(f'#!/bin/sh\necho "$DOCKER_HOST: $*" >> {calls}\n')
    program.chmod(0o755)
    return calls


def test_hadolint_finds_nothing_in_dockerfile() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")

    done = subprocess.run([hadolint, "--no-color", DOCKERFILE], capture_output=True, text=True, check=False)

    assert done.stdout + done.stderr == ""
    assert done.returncode == 0
    assert "hadolint ignore" not in DOCKERFILE.read_text()


def test_dockerfile_by_itself_builds_default_release() -> None:
    text = DOCKERFILE.read_text()

    bases = set(re.findall(r"^ARG BASE_IMAGE=(.+)$", text, re.MULTILINE))
    releases = set(re.findall(r"^ARG RELEASE=(.+)$", text, re.MULTILINE))

    assert releases == {"3.6.0"}
    assert bases == {RELEASES["3.6.0"].base_image}


def test_one_line_says_that_no_engine_answers(tmp_path: Path) -> None:
    # As make starts it; the other tests call it in this process, which takes a tenth of the time.
    command = [sys.executable, "-m", "cdk8s_mlflow.publishing", "build"]
    done = subprocess.run(
        command, env=_environment(tmp_path), cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert done.returncode == 3
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        "error: no container engine answers "
        "(docker is not installed; podman is not installed; buildah is not installed); "
        "start one, or set DOCKER_HOST=ssh://user@host to build on another machine"
    ]


def test_engine_without_daemon_is_named(publish: Publish, tmp_path: Path) -> None:
    program = tmp_path / "docker"
    # As docker's client without a daemon.
    program.write_text("#!/bin/sh\necho 'Cannot connect to the Docker daemon.' >&2\nexit 1\n")
    program.chmod(0o755)

    done = publish("push", DOCKER_HOST="ssh://builder@build.example.com")

    assert done.returncode == 3
    assert len(done.stderr.splitlines()) == 1
    assert "(docker says: Cannot connect to the Docker daemon.)" in done.stderr


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"BASE_IMAGE_BY_TAG": "yes"}, "BASE_IMAGE_BY_TAG is 'yes'; set it to true or false"),
        ({"RELEASE": "3.5.0"}, "RELEASE is '3.5.0'; set it to one of 3.6.0, 3.17.2"),
        ({"CONTAINER_ENGINE": "rkt"}, "CONTAINER_ENGINE is 'rkt'; set it to one of docker, podman, buildah"),
        (
            {"CONTAINER_ENGINE": "podman", "DOCKER_HOST": "ssh://builder@build.example.com"},
            "DOCKER_HOST is for docker, and CONTAINER_ENGINE is 'podman'; unset one of them",
        ),
    ],
)
def test_variable_that_cannot_be_is_refused(publish: Publish, variables: dict[str, str], message: str) -> None:
    done = publish("build", **variables)

    assert done.returncode == 2
    assert done.stderr == f"error: {message}\n"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        # An image is named without a scheme.
        ("IMAGE_REGISTRY", "https://registry.example.com"),
        # Names in a registry have small letters only.
        ("IMAGE_REPOSITORY", "MLflow"),
        # A tag begins with a letter, a digit or an underscore.
        ("MLFLOW_IMAGE_TAG", "-latest"),
    ],
)
def test_name_that_no_image_can_have_is_refused(publish: Publish, variable: str, value: str) -> None:
    done = publish("build", **{variable: value})

    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {variable} ")
    assert len(done.stderr.splitlines()) == 1


def test_unset_variables_give_image_that_dist_names(publish: Publish, recording_engine: Path) -> None:
    manifest = (ROOT / "dist" / "production" / "application" / "Deployment.mlflow.k8s.yaml").read_text()

    done = publish("build")

    assert done.returncode == 0, done.stderr
    assert "--tag localhost:30500/mlflow:3.6.0-oidc" in recording_engine.read_text()
    assert "localhost:30500/mlflow:3.6.0-oidc" in manifest


@pytest.mark.parametrize(
    "base",
    [
        "docker.io/library/python:3.13-slim",
        "docker.io/library/python",
        f"docker.io/library/python@sha256:{'0' * 63}",
        f"docker.io/library/python:sha256-{'0' * 64}",
        "localhost.example.com/base:1",
        "127.example.com/base:1",
        "registry.example.com/localhost/base:1",
    ],
)
@pytest.mark.parametrize("step", ["build", "build-and-push"])
def test_build_refuses_base_without_digest(publish: Publish, recording_engine: Path, step: str, base: str) -> None:
    done = publish(step, BASE_IMAGE=base, BASE_IMAGE_BY_TAG="")

    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: the base {base} is named by a tag")
    assert "`make image-base`" in line
    assert "BASE_IMAGE_BY_TAG=true" in line
    assert not recording_engine.exists()


@pytest.mark.parametrize(
    "base",
    [
        f"docker.io/library/python@sha256:{'0' * 64}",
        f"docker.io/library/python:3.13-slim@sha256:{'0' * 64}",
        "localhost:5000/base:1",
        "localhost/base:1",
        "127.0.0.1:5000/base:1",
        "[::1]:5000/base:1",
        "oci:/images/base",
    ],
)
def test_build_takes_base_that_cannot_change(publish: Publish, recording_engine: Path, base: str) -> None:
    done = publish("build", BASE_IMAGE=base, BASE_IMAGE_BY_TAG="false")

    assert done.returncode == 0, done.stderr
    assert f"--build-arg BASE_IMAGE={base} " in recording_engine.read_text()


def test_default_base_without_pin_is_refused(publish: Publish, recording_engine: Path) -> None:
    done = publish("build", BASE_IMAGE_BY_TAG="")

    # As shipped, no digest is written down; `make image-base` changes that.
    assert done.returncode == (0 if "@" in pinned("3.6.0") else 2), done.stderr


def test_push_asks_for_no_base(publish: Publish, recording_engine: Path) -> None:
    done = publish("push", BASE_IMAGE="docker.io/library/python:3.13-slim", BASE_IMAGE_BY_TAG="")

    assert "is named by a tag" not in done.stderr
    assert "push" in recording_engine.read_text()


def test_another_release_has_its_own_tag_and_base(publish: Publish, recording_engine: Path) -> None:
    release = RELEASES["3.17.2"]

    publish("build", RELEASE=release.name, BASE_IMAGE="")

    build = recording_engine.read_text().splitlines()[-1]
    assert f"--build-arg BASE_IMAGE={pinned(release.name)} " in build
    assert "--build-arg RELEASE=3.17.2 " in build
    assert "--tag localhost:30500/mlflow:3.17.2-oidc " in build


@pytest.mark.parametrize("stores", ["", "azure", "gcs", "azure gcs"])
def test_clients_of_stores_are_an_argument(publish: Publish, recording_engine: Path, stores: str) -> None:
    publish("build", IMAGE_STORES=stores, BASE_IMAGE="")

    assert f"--build-arg STORES={stores} " in recording_engine.read_text().splitlines()[-1]


def test_unknown_store_is_refused(publish: Publish) -> None:
    done = publish("build", IMAGE_STORES="gcs swift")

    assert done.returncode == 2
    assert done.stderr == "error: IMAGE_STORES is 'gcs swift'; set it to azure, gcs or both, or leave it out\n"


def test_dotenv_gives_what_environment_does_not(publish: Publish, recording_engine: Path, tmp_path: Path) -> None:
    lines = [
        "DOCKER_HOST=ssh://builder@build.example.com",
        "IMAGE_REGISTRY=registry.example.com",
        "MLFLOW_IMAGE_TAG=from-file",
    ]
    (tmp_path / ".env.local").write_text("\n".join(lines))

    publish("build", MLFLOW_IMAGE_TAG="from-environment")

    build = recording_engine.read_text().splitlines()[-1]
    assert build.startswith("ssh://builder@build.example.com: build ")
    assert "--tag registry.example.com/mlflow:from-environment " in build


def test_index_with_login_is_passed_by_name(publish: Publish, recording_engine: Path) -> None:
    index = "https://anna:hidden@pypi.example.com/simple"

    done = publish("build", PIP_INDEX_URL=index)

    # Without a value the engine takes it from its environment, so that no list of processes shows it.
    assert "--build-arg PIP_INDEX_URL --tag" in recording_engine.read_text()
    assert "hidden" not in recording_engine.read_text() + done.stdout + done.stderr


def test_context_holds_only_what_dockerfile_copies() -> None:
    ignored = (ROOT / "image" / ".dockerignore").read_text().splitlines()

    copied = set(re.findall(r"^COPY (?!--from)(\S+) ", DOCKERFILE.read_text(), re.MULTILINE))

    kept = {line[1:] for line in ignored if line.startswith("!")}
    assert "*" in ignored
    assert kept == {path.replace("${RELEASE}", release) for path in copied for release in RELEASES}
    # Docker's client without buildx skips a folder that only a pattern lets in.
    assert [path for path in kept if "*" in path] == []
