"""Stored locations: which are read as a path below the artifact root, and what a refusal says of the others."""

import pytest

from mlflow_sso.authorization import forms
from mlflow_sso.authorization.errors import RefusedError
from mlflow_sso.authorization.locations import Demand, Locations
from mlflow_sso.authorization.rules import Form, Kind, Level

LOCATIONS = Locations(["s3://shared/models/"], destination="s3://mlflow/prefix")


@pytest.mark.parametrize("location", ["mlflow-artifacts:/1/run/artifacts", "s3://mlflow/prefix/1/run/artifacts"])
def test_own_locations_need_what_lies_there(location: str) -> None:
    assert LOCATIONS.stored(location) == [Demand(Level.READ, Kind.ARTIFACT, "1/run/artifacts")]


@pytest.mark.parametrize("location", ["s3://shared/models", "s3://shared/models/a/b"])
def test_allowed_stored_locations_need_nothing(location: str) -> None:
    assert LOCATIONS.stored(location) == []


@pytest.mark.parametrize("allowed", ["s3://mlflow", "s3://mlflow/prefix", "s3://mlflow/prefix/1", "s3://mlflow/"])
def test_allowed_prefixes_open_no_artifacts(allowed: str) -> None:
    locations = Locations([allowed], destination="s3://mlflow/prefix")

    assert locations.stored("s3://mlflow/prefix/1/run/artifacts") == [
        Demand(Level.READ, Kind.ARTIFACT, "1/run/artifacts")
    ]
    with pytest.raises(RefusedError, match="is not served"):
        locations.demands(Form.SOURCE, "s3://mlflow/prefix/1/run/artifacts")


@pytest.mark.parametrize(
    "location",
    [
        "", "1/run", "/mlruns/1", "file:///mlruns/1", "s3://mlflow", "s3://mlflow/prefix", "s3://mlflow/prefix-2/1",
        "s3://mlflow/1", "s3://shared/models-2/x", "s3://shared/models/../x", "s3://shared/models/%2e%2e/x",
        "mlflow-artifacts:/", "mlflow-artifacts://host/1", "mlflow-artifacts:1", "MLFLOW-ARTIFACTS:/1", "runs:/r/model",
        "models:/m/1", "http://mlflow/api/2.0/mlflow-artifacts/artifacts/1", "ftp://host/x", " mlflow-artifacts:/1",
    ],
)  # fmt: skip
def test_other_stored_locations_are_refused(location: str) -> None:
    with pytest.raises(RefusedError, match="is not served"):
        LOCATIONS.stored(location)


def test_refusal_shows_no_password_of_location() -> None:
    with pytest.raises(RefusedError) as refusal:
        # A password may hold an @ of its own.
        LOCATIONS.stored("ftp://anna:p@ss@host/x?signature=s#f")

    assert "'ftp://host/x'" in refusal.value.message


# An upload to S3 has 1 to 10,000 parts.
@pytest.mark.parametrize("count", [0, -1, 10_001, "7", 1.5, None, []])
def test_impossible_counts_of_parts_are_refused(count: object) -> None:
    forms.refuse_many_parts([1, 10_000])

    with pytest.raises(RefusedError, match="num_parts"):
        forms.refuse_many_parts([count])


@pytest.mark.parametrize("path", ["", ".", "..", "a/..", "a/", "/"])
def test_uploads_end_with_name_of_file(path: str) -> None:
    forms.refuse_folders(["/tmp/model.bin", "model.bin"])

    with pytest.raises(RefusedError, match="name of a file"):
        forms.refuse_folders([path])
