"""The list of releases, which settings, make, the image, the tests and the benchmarks read."""

import subprocess
from pathlib import Path
from typing import get_args

import pytest

from cdk8s_mlflow.releases import RELEASES, ReleaseName
from cdk8s_mlflow.server_environment import RELEASE_VARIABLES
from cdk8s_mlflow.settings.extra_environment import HARMLESS_ON
from mlflow_sso.releases import RELEASES as IMAGE_RELEASES

ROOT = Path(__file__).parents[2]


def test_release_list_is_same_everywhere() -> None:
    names = set(get_args(ReleaseName))

    assert names == set(RELEASES)
    assert names == set(RELEASE_VARIABLES)
    assert names == set(HARMLESS_ON)
    assert names == set(IMAGE_RELEASES)
    assert names == {folder.name for folder in (ROOT / "image/releases").iterdir()}


def test_make_reads_list_of_releases() -> None:
    printed = subprocess.run(
        ["make", "--no-print-directory", "--eval", "list:; @echo $(IMAGE_RELEASES)", "list"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    assert printed.stdout.split() == list(get_args(ReleaseName))


@pytest.mark.parametrize("name", RELEASES)
def test_constructs_and_image_describe_one_release(name: str) -> None:
    release, image = RELEASES[name], IMAGE_RELEASES[name]

    assert (release.mlflow, release.plugin, release.app_name) == (image.mlflow, image.plugin, image.app_name)
    assert release.sessions_in_database == image.sessions_in_database
    assert sorted(key.variable for key in release.server_keys) == sorted(image.server_secrets)
