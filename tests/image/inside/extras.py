"""What requests need beside the names of things, and where the plugin asks for more than the table can say."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mlflow_sso.authorization.rules import Route
from mlflow_sso.releases import installed

UNKNOWN_THINGS = frozenset({"GET /mlflow/scorers/online-configs"})
"""Rows about things that no world has: an empty answer tells of no user's."""

STRICTER = set(
    {
        # Shows the page of login, to everybody.
        "GET /callback",
        # About oneself, with an access key that would be another one afterwards.
        "PATCH /mlflow/permissions/users/access-token",
        "PATCH /mlflow/users/update-password",
        "GET /mlflow/users/get",
        # An access key makes no access keys.
        "PATCH /mlflow/users/access-token",
        "POST /mlflow/users/current/tokens",
        "POST /mlflow/users/<username>/tokens",
        # Only users of the queue.
        "POST /mlflow/review-queues/items/set-status",
        # The parameters of a job are asked for one by one.
        "POST /jobs/",
        # It leaves the data set to administrators, and the rest of its rows with it.
        "POST /mlflow/datasets/<dataset_id>/remove-experiments",
    }
)
"""Rows that may be refused although the table allows them."""


def extras(names: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Fields of bodies and queries by method and path, if a request is refused, or takes long, without them."""
    return {
        "POST /mlflow/prompt-optimization/jobs": {"source_prompt_uri": f"prompts:/{names['prompt']}/1"},
        "POST /mlflow/model-versions/create": {
            "source": f"mlflow-artifacts:/{names['folder']}",
            "run_id": names["run"],
        },
        "PATCH /mlflow/traces/<request_id>": {"status": "OK"},
        **{f"DELETE /mlflow/traces/<{trace}>/tags": {"key": "colour"} for trace in ("request_id", "trace_id")},
        "GET /model-versions/get-artifact": {"version": "1"},
        "GET /mlflow/review-queues/get-by-name": {"name": names["mark"]},
        "POST /mlflow/traces": {"trace": {"trace_info": {"trace_id": names["trace"]}}},
        # All of them take as long as a thousand other requests, and are behind the same permission.
        "POST /mlflow/demo/generate": {"features": []},
    }


def routes() -> Iterable[Route]:
    """The rows of the release that is installed."""
    return rows_of(installed().mlflow)


def rows_of(release: str) -> Sequence[Route]:
    """The rows of a release, with its default settings."""
    from mlflow_sso.authorization.release_3_6_0 import TABLE
    from mlflow_sso.authorization.release_3_17_2.table import routes as rows

    every = {"3.6.0": TABLE.routes, "3.17.2": rows(ai_gateway=False)}[release]
    return [row for row in every if not row.rule.is_absent]
