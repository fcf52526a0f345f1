"""Names another's things beside one's own, where requests refer to them; writes what came of it as JSON.

Arguments: the root of the Secrets and the access keys by user name.
"""

import json
import secrets
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from application import Answer, Application, Request, basic
from ask_siblings import SOURCE, new_trace
from gateway_world import GATEWAY, GatewayWorld, start_provider
from world import MLFLOW, THIRD, User

AJAX = "/ajax-api/3.0"
Asked = tuple[str, Request]


def judge(name: str, model: str) -> dict[str, Any]:
    """A scorer as MLflow's client writes it, whose model is ``model``."""
    return {"name": name, "instructions_judge_pydantic_data": {"instructions": "{{ outputs }}?", "model": model}}


def models(endpoint: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Scorers that call an endpoint, by the way in which they name it."""
    own, other = judge("a", f"gateway:/{endpoint}"), {"model": f"gateway:///{endpoint}"}
    yield "judge", own
    yield "more slashes", judge("a", f"gateway:///{endpoint}")
    yield "builtin", {"name": "a", "builtin_scorer_class": "Safety", "builtin_scorer_pydantic_data": other}
    yield "memory", {"name": "a", "memory_augmented_judge_data": {"base_judge": own}}
    yield "ensemble", {"name": "a", "ensemble_scorer_data": {"scorers": [own]}}
    yield "third party", {"name": "a", "third_party_scorer_data": other}


def scorers(mine: Mapping[str, str], endpoint: str) -> Iterator[Asked]:
    """Written in the request, in every place that takes one."""
    about, traces = {"experiment_id": mine["experiment"]}, {"trace_ids": [mine["trace"]]}
    register = f"{THIRD}/scorers/register"
    for name, scorer in models(endpoint):
        text = json.dumps(scorer)
        yield f"register {name}", Request.of("POST", register, about | {"name": "a", "serialized_scorer": text})
    text = json.dumps(judge("a", f"gateway:/{endpoint}"))
    twice = text.replace('"model": ', f'"model": {json.dumps(f"gateway:/{endpoint}")}, "model": ', 1)
    yield "register twice", Request.of("POST", register, about | {"name": "a", "serialized_scorer": twice})
    invoke, evaluate = f"{AJAX}/mlflow/scorer/invoke", f"{AJAX}/mlflow/genai/evaluate/invoke"
    yield "invoke", Request.of("POST", invoke, about | traces | {"serialized_scorer": text})
    yield "evaluate", Request.of("POST", evaluate, about | traces | {"serialized_scorers": [text]})
    job = {"job_name": "invoke_scorer", "params": about | traces | {"serialized_scorer": text}}
    yield "job", Request.of("POST", f"{AJAX}/jobs/", job)
    online = {"online_scorers": [{"name": "a", "serialized_scorer": text}]}
    job = {"job_name": "run_online_trace_scorer", "params": about | online}
    yield "online job", Request.of("POST", f"{AJAX}/jobs/", job)
    config = {"optimizer_type": 2, "optimizer_config_json": json.dumps({"reflection_model": f"gateway:/{endpoint}"})}
    body = about | {"source_prompt_uri": f"prompts:/{mine['prompt']}/1", "config": config}
    yield "optimize", Request.of("POST", f"{THIRD}/prompt-optimization/jobs", body)


def stored_scorers(mine: Mapping[str, str], experiment: str, trace: str, name: str) -> Iterator[Asked]:
    """The scorer ``name`` of an experiment, in every place that has a stored one called."""
    about, traces = {"experiment_id": experiment}, {"trace_ids": [trace]}
    rate = {"name": name, "sample_rate": 1.0, "scorer_version": 9}
    yield "online", Request.of("PUT", f"{THIRD}/scorers/online-config", about | rate)
    harmless = json.dumps({"name": name})
    named = {"serialized_scorer": harmless, "scorer_name": name, "scorer_version": 1, "sample_rate": 0}
    yield "invoke stored", Request.of("POST", f"{AJAX}/mlflow/scorer/invoke", about | traces | named)
    several = {"serialized_scorers": [None, harmless], "scorer_versions": [None, 1]}
    yield "evaluate stored", Request.of("POST", f"{AJAX}/mlflow/genai/evaluate/invoke", about | traces | several)
    body = about | {"source_prompt_uri": f"prompts:/{mine['prompt']}/1"}
    config = {"optimizer_type": 2, "scorers": [name], "optimizer_config_json": "{}"}
    yield "optimize stored", Request.of("POST", f"{THIRD}/prompt-optimization/jobs", body | {"config": config})


def references(mine: Mapping[str, str], theirs: Mapping[str, str]) -> Iterator[Asked]:
    """Of one's own things to another's."""
    model = {"experiment_id": mine["experiment"], "name": "a", "source_run_id": theirs["run"]}
    yield "source run", Request.of("POST", f"{MLFLOW}/logged-models", model)
    prompts = {"trace_id": mine["trace"], "prompt_versions": [{"name": theirs["prompt"], "version": "1"}]}
    yield "prompt of a trace", Request.of("POST", f"{MLFLOW}/traces/link-prompts", prompts)
    items = {"queue_id": mine["review_queue"], "item_ids": [theirs["trace"]], "item_type": "TRACE"}
    yield "item of a queue", Request.of("POST", f"{THIRD}/review-queues/items/add", items)
    binding = {"endpoint_id": mine["gateway_endpoint"], "resource_type": "scorer", "resource_id": theirs["scorer_id"]}
    yield "binding", Request.of("POST", f"{GATEWAY}/endpoints/bindings/create", binding)
    reference = {"assessment_name": theirs["issue"], "source": SOURCE, "issue": {"issue_name": "a"}}
    path = f"{THIRD}/traces/{mine['trace']}/assessments"
    yield "issue", Request.of("POST", path, {"assessment": reference})
    trace = new_trace(mine["experiment"], f"tr-{secrets.token_hex(16)}", assessment_name=theirs["issue"])
    yield "issue of a new trace", trace
    # In the form of a FieldMask in JSON, which has no underscores.
    named = {"assessment": {"assessment_name": theirs["issue"]}, "update_mask": "assessmentName"}
    yield "issue by a new name", Request.of("PATCH", f"{path}/{mine['assessment']}", named)


class Asking:
    """Asks as one user; remembers what was not answered as it should be."""

    def __init__(self, application: Application, user: User) -> None:
        self._application, self._user = application, user
        self.served: list[Any] = []
        self.refused: list[Any] = []

    def ask(self, request: Request) -> Answer:
        """As this user."""
        return self._application.ask(request, *self._user.credentials)

    def refuse(self, asked: Iterator[Asked]) -> None:
        """All of which must be refused."""
        answers = [(name, self.ask(request)) for name, request in asked]
        self.served += [[name, answer.status, answer.text[:200]] for name, answer in answers if answer.status != 403]

    def serve(self, asked: Iterator[Asked]) -> None:
        """None of which may be; jobs are switched off, as MLflow says itself."""
        answers = [(name, self.ask(request)) for name, request in asked]
        self.refused += [
            [name, answer.status, answer.text[:200]]
            for name, answer in answers
            if answer.status != 200 and "JOB_EXECUTION" not in answer.text
        ]


def prepared(asking: Asking, world: GatewayWorld) -> dict[str, str]:
    """Names of a world with an assessment and a scorer whose model is its endpoint."""
    names = dict(world.names)
    body = {"assessment": {"assessment_name": "a", "source": SOURCE, "feedback": {"value": True}}}
    made = asking.ask(Request.of("POST", f"{THIRD}/traces/{names['trace']}/assessments", body)).json()
    names["assessment"] = made["assessment"]["assessment_id"]
    scorer = json.dumps(judge("costly", f"gateway:/{names['gateway_endpoint_name']}"))
    body = {"experiment_id": names["experiment"], "name": "costly", "serialized_scorer": scorer}
    assert asking.ask(Request.of("POST", f"{THIRD}/scorers/register", body)).status == 200
    # The one without a model, which is bound to no endpoint yet.
    path = f"{THIRD}/scorers/get?experiment_id={names['experiment']}&name={names['scorer']}"
    names["scorer_id"] = asking.ask(Request.of("GET", path)).json()["scorer"]["scorer_id"]
    return names


def counted(asking: Asking, names: Mapping[str, str]) -> int:
    """How many traces the issue of a world has."""
    body = {"experiment_id": names["experiment"], "include_trace_count": True}
    (issue,) = asking.ask(Request.of("POST", f"{THIRD}/issues/search", body)).json()["issues"]
    return int(issue.get("trace_count", 0))


def main() -> None:
    """As bert, who may edit anna's experiment in the end, and never use her endpoint."""
    keys, application, (provider, _) = json.loads(sys.argv[2]), Application(), start_provider()
    users = {name: User(name, (basic(name, keys[name]),)) for name in ("anna", "bert")}
    asking = {name: Asking(application, user) for name, user in users.items()}
    worlds = {name: GatewayWorld(application, user, provider=provider) for name, user in users.items()}
    mine, theirs = (prepared(asking[name], worlds[name]) for name in ("bert", "anna"))
    bert = asking["bert"]
    for endpoint in ("gateway_endpoint_name", "gateway_endpoint"):
        bert.refuse(scorers(mine, theirs[endpoint]))
    bert.serve(scorers(mine, mine["gateway_endpoint_name"]))
    bert.refuse(references(mine, theirs))
    counts = {"hers": counted(asking["anna"], theirs)}
    bert.serve(references(mine, mine))
    counts["his"] = counted(bert, mine)
    worlds["anna"].grant_experiment(users["bert"], "EDIT")
    bert.refuse(stored_scorers(mine, theirs["experiment"], theirs["trace"], "costly"))
    own = stored_scorers(mine, mine["experiment"], mine["trace"], "costly")
    # MLflow 3.17.2 fails with 500 where a stored version is to be run at once.
    bert.serve((name, request) for name, request in own if name in ("online", "optimize stored"))
    # What may be edited in both places still is not counted in the other.
    bert.refuse((name, request) for name, request in references(mine, theirs) if "issue" in name)
    off = {"experiment_id": theirs["experiment"], "name": "costly", "sample_rate": 0}
    ended = bert.ask(Request.of("PUT", f"{THIRD}/scorers/online-config", off)).status
    print(json.dumps({"served": bert.served, "refused": bert.refused, "counts": counts, "ended": ended}))


if __name__ == "__main__":
    main()
