"""What is in use and what may be deleted, decided only on rows. No server."""

import pytest

from mlflow_sso.garbage_collection.due import Expired
from mlflow_sso.garbage_collection.usage import KeptError, Usage
from mlflow_sso.garbage_collection.usage_rows import Claim, Named, UsageRows
from mlflow_sso.object_store import Folder

ROOT = Folder("bucket", "")
RUN = "0" * 31 + "a"
LIVING, DUE = False, True


def usage(
    *experiments: tuple[int, str, bool],
    claims: tuple[Claim, ...] = (),
    versions: tuple[str, ...] = (),
    named: tuple[Named, ...] = (),
    traces: tuple[Claim, ...] = (),
) -> Usage:
    rows = UsageRows(
        experiments=experiments,
        claims=frozenset(claims),
        traces=frozenset(traces),
        versions=frozenset((f"churn/{number}", source, "") for number, source in enumerate(versions)),
        named=frozenset(named),
    )
    return Usage(rows=rows, root=ROOT)


def run(location: str, experiment: int = 1) -> Expired:
    return Expired(kind="run", id=RUN, experiment_id=experiment, location=location)


def experiment(number: int, location: str) -> Expired:
    return Expired(kind="experiment", id=str(number), experiment_id=number, location=location)


def test_run_of_living_experiment_may_go() -> None:
    used = usage((1, "mlflow-artifacts:/1", LIVING))

    folder = used.folder_of(run(f"mlflow-artifacts:/1/{RUN}/artifacts"))

    assert folder == Folder("bucket", f"1/{RUN}/artifacts/")


@pytest.mark.parametrize(
    "other",
    [
        "mlflow-artifacts:/1",
        # The same folder, as ``ROOT`` is the bucket itself.
        "s3://bucket/1",
        "mlflow-artifacts:/",
        f"mlflow-artifacts:/1/{RUN}",
        f"mlflow-artifacts:/1/{RUN}/artifacts",
        f"mlflow-artifacts:/1/{RUN}/artifacts/model",
        f"mlflow-artifacts:/x/%2e%2e/1/{RUN}/",
    ],
)
def test_run_stays_if_other_experiment_uses_folder(other: str) -> None:
    used = usage((1, "mlflow-artifacts:/1", LIVING), (2, other, LIVING))

    with pytest.raises(KeptError, match="experiment 2 uses"):
        used.folder_of(run(f"mlflow-artifacts:/1/{RUN}/artifacts"))


@pytest.mark.parametrize("other", ["mlflow-artifacts:/12", "mlflow-artifacts:/1x", f"mlflow-artifacts:/2/{RUN}"])
def test_run_goes_beside_others_with_similar_names(other: str) -> None:
    used = usage((1, "mlflow-artifacts:/1", LIVING), (2, other, LIVING))

    assert used.folder_of(run(f"mlflow-artifacts:/1/{RUN}/artifacts"))


@pytest.mark.parametrize(
    "source", [f"runs:/{RUN}/model", f"mlflow-artifacts:/9/{RUN}/x", f"s3://bucket/1/{RUN[:4]}/../"]
)
def test_run_stays_if_model_version_uses_it(source: str) -> None:
    used = usage((1, "mlflow-artifacts:/1", DUE), versions=(source,))

    with pytest.raises(KeptError, match="model version churn/0 uses"):
        used.folder_of(run(f"mlflow-artifacts:/1/{RUN}/artifacts"))


def test_run_outside_its_experiment_stays_below_it() -> None:
    used = usage((1, "mlflow-artifacts:/1", LIVING))

    with pytest.raises(KeptError, match="experiment 1 uses"):
        used.folder_of(run(f"mlflow-artifacts:/1/odd/{RUN}/artifacts"))


def test_folder_without_id_is_blocked() -> None:
    with pytest.raises(KeptError, match="which it may share with others") as kept:
        usage().folder_of(run("mlflow-artifacts:/somewhere/else"))

    assert kept.value.blocked


def test_due_experiments_do_not_hold_one_another() -> None:
    used = usage((1, "mlflow-artifacts:/1", DUE), (2, "mlflow-artifacts:/1/nested", DUE))

    assert used.folder_of(experiment(1, "mlflow-artifacts:/1"))


def test_experiment_that_stays_holds_what_lies_below() -> None:
    # 3 is alive inside 2's folder, 2 therefore stays, and 1's folder lies inside 2's.
    used = usage(
        (2, "mlflow-artifacts:/2", DUE), (1, "mlflow-artifacts:/2/sub", DUE), (3, "mlflow-artifacts:/2/x", LIVING)
    )

    assert used.kept == {2}
    with pytest.raises(KeptError, match="experiment 2 uses"):
        used.folder_of(run(f"mlflow-artifacts:/2/sub/{RUN}/artifacts"))


def test_experiment_with_named_member_stays() -> None:
    source, named = f"runs:/{RUN}/model", Named(1, RUN, f"mlflow-artifacts:/1/{RUN}/artifacts")

    used = usage((1, "mlflow-artifacts:/1", DUE), versions=(source,), named=(named,))

    assert used.kept == {1}


def test_trace_tag_of_living_experiment_protects() -> None:
    used = usage(
        (1, "mlflow-artifacts:/1", DUE),
        (2, "mlflow-artifacts:/2", LIVING),
        traces=(Claim(2, "trace tr-1", "mlflow-artifacts:/1/x"),),
    )

    with pytest.raises(KeptError, match="trace tr-1 uses"):
        used.folder_of(experiment(1, "mlflow-artifacts:/1"))


def test_trace_tag_of_going_experiment_protects_nothing() -> None:
    used = usage(
        (1, "mlflow-artifacts:/1", DUE),
        (2, "mlflow-artifacts:/2", DUE),
        traces=(Claim(2, "trace tr-1", "mlflow-artifacts:/1/x"),),
    )

    assert used.folder_of(experiment(1, "mlflow-artifacts:/1"))


@pytest.mark.parametrize("trace", ["../..?", "../../..", "..\\..\\..", "%2e%2e/%2e%2e%3f"])
def test_id_of_trace_cannot_keep_whole_bucket(trace: str) -> None:
    used = usage(
        (1, "mlflow-artifacts:/1", DUE),
        (2, "mlflow-artifacts:/2", LIVING),
        traces=(Claim(2, f"trace {trace}", f"mlflow-artifacts:/2/traces/{trace}/artifacts"),),
    )

    assert used.folder_of(experiment(1, "mlflow-artifacts:/1")) == Folder("bucket", "1/")


@pytest.mark.parametrize("location", ["s3://bucket", "mlflow-artifacts:/", "mlflow-artifacts://mlflow.example.com"])
def test_tag_of_trace_keeps_all_that_it_means(location: str) -> None:
    used = usage(
        (1, "mlflow-artifacts:/1", DUE),
        (2, "mlflow-artifacts:/2", LIVING),
        traces=(Claim(2, "trace 1", location),),
    )

    with pytest.raises(KeptError, match="trace 1 uses"):
        used.folder_of(experiment(1, "mlflow-artifacts:/1"))


def test_traces_in_root_keep_their_folders() -> None:
    used = usage(
        (1, "mlflow-artifacts:/traces", DUE),
        (2, "mlflow-artifacts:/2", LIVING),
        traces=(Claim(2, "experiment 2", "mlflow-artifacts:"),),
    )

    with pytest.raises(KeptError, match="experiment 2 uses"):
        used.folder_of(run(f"mlflow-artifacts:/traces/{RUN}/artifacts"))
