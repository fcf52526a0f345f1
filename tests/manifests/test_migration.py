"""The migration Job runs once for an image, and again only if told."""

from tests.manifests.objects import Render, only


def test_failed_migration_runs_again_under_new_name(rendered: Render) -> None:
    first, second = only(rendered(), "Job"), only(rendered(migration={"run": 2}), "Job")

    assert first["metadata"]["name"] != second["metadata"]["name"]
    assert first["spec"] == second["spec"]


def test_job_retries_only_retryable_exit_codes(rendered: Render) -> None:
    spec = only(rendered(), "Job")["spec"]

    rules = {rule["onExitCodes"]["values"][0]: rule["action"] for rule in spec["podFailurePolicy"]["rules"][:2]}
    # EX_TEMPFAIL of sysexits.h, as the programs of the image use it.
    assert rules == {75: "Ignore", 1: "FailJob"}
    assert spec["template"]["spec"]["restartPolicy"] == "Never"
    # A Job that is deleted sooner is created and run again by Flux and Argo CD.
    assert spec["ttlSecondsAfterFinished"] == 365 * 24 * 3600
