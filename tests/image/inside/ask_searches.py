"""Sends searches with many conditions and sort keys, and with as few as pages have; writes the statuses as JSON.

Arguments: the root of the Secrets and the access keys by user name.
"""

import json
import sys
from collections.abc import Iterator
from urllib.parse import urlencode

from application import Application, Request, basic
from world import MLFLOW, THIRD, User, World

Asked = tuple[str, Request]


def conditions(count: int, thing: str = "tags") -> str:
    """A filter of so many."""
    return " AND ".join(f"{thing}.a{number} = 'b'" for number in range(count))


def searches(experiment: str, count: int) -> Iterator[Asked]:
    """Each kind of search, with ``count`` conditions or sort keys."""
    about, text = {"experiment_ids": [experiment], "max_results": 1}, conditions(count)
    place = [{"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": experiment}}]
    order = [f"metrics.a{number}" for number in range(count)]
    yield "runs", Request.of("POST", f"{MLFLOW}/runs/search", about | {"filter": text})
    yield "sorted runs", Request.of("POST", f"{MLFLOW}/runs/search", about | {"order_by": order})
    few = about | {"filter": conditions(count // 2 + 1), "order_by": order[count // 2 :]}
    yield "both", Request.of("POST", f"{MLFLOW}/runs/search", few)
    yield "small letters", Request.of("POST", f"{MLFLOW}/runs/search", about | {"filter": text.replace("AND", "and")})
    lines = about | {"filter": text.replace(" AND ", "\nAND\n")}
    yield "lines", Request.of("POST", f"{MLFLOW}/runs/search", lines)
    yield "traces", Request.of("POST", f"{THIRD}/traces/search", {"locations": place, "filter": text, "max_results": 1})
    yield "experiments", Request.of("POST", f"{MLFLOW}/experiments/search", {"filter": text, "max_results": 1})
    yield (
        "experiments by GET",
        Request.of("GET", f"{MLFLOW}/experiments/search?{urlencode({'filter': text})}&max_results=1"),
    )
    yield "models", Request.of("GET", f"{MLFLOW}/registered-models/search?{urlencode({'filter': text})}")
    model = about | {"order_by": [{"field_name": name} for name in order]}
    yield "logged models", Request.of("POST", f"{MLFLOW}/logged-models/search", model)
    input_ = f'experimentIds:["{experiment}"] orderBy:{json.dumps(order)} maxResults:1'
    query = f"mutation{{mlflowSearchRuns(input:{{{input_}}}){{runs{{info{{runId}}}}}}}}"
    yield "GraphQL", Request.of("POST", "/graphql", {"query": query})


def main() -> None:
    """As a member about an experiment of their own."""
    anna, application = User("anna", (basic("anna", json.loads(sys.argv[2])["anna"]),)), Application()
    experiment = World(application, anna).names["experiment"]
    found = {
        str(count): {
            name: application.ask(asked, *anna.credentials).status for name, asked in searches(experiment, count)
        }
        for count in (10, 60)
    }
    # The word in a value is none that joins conditions.
    worded = {"experiment_ids": [experiment], "filter": f"tags.a = '{' and ' * 200}'", "max_results": 1}
    asked = Request.of("POST", f"{MLFLOW}/runs/search", worded)
    print(json.dumps(found | {"words": application.ask(asked, *anna.credentials).status}))


if __name__ == "__main__":
    main()
