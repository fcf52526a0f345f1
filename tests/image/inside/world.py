"""What a user keeps in MLflow, with a mark in each name and a secret in each thing, and who was granted what."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from application import Answer, Application, Request

from mlflow_sso.releases import installed

MLFLOW = "/api/2.0/mlflow"
THIRD = "/api/3.0/mlflow"
PROXY = "/api/2.0/mlflow-artifacts/artifacts"
PROMPT = [{"key": "mlflow.prompt.is_prompt", "value": "true"}]


@dataclass(frozen=True)
class User:
    """A member, and what it takes to ask as one."""

    name: str
    credentials: tuple[tuple[str, str], ...]

    @property
    def email(self) -> str:
        return f"{self.name}@example.com"


class World:
    """Things of one owner. Whoever asks may know their ``names`` and the ``mark`` in them, never the ``secret``."""

    def __init__(self, application: Application, owner: User) -> None:
        self._application, self._owner = application, owner
        mark = f"mark{secrets.token_hex(8)}"
        self.mark, self.secret = mark, f"secret{secrets.token_hex(8)}"
        experiment = self._post(f"{MLFLOW}/experiments/create", name=mark)["experiment_id"]
        tag = {"experiment_id": experiment, "key": "password", "value": self.secret}
        self._post(f"{MLFLOW}/experiments/set-experiment-tag", **tag)
        self.names: dict[str, str] = {"mark": mark, "experiment": experiment, "experiment_name": mark}
        self.names["run"] = self._run(experiment)
        self.names["folder"] = f"{experiment}/{self.names['run']}/artifacts"
        self.names["artifact"] = f"{self.names['folder']}/{mark}.txt"
        self.names["trace"] = self._trace(experiment)
        self.names["model"], self.names["prompt"] = f"{mark}-model", f"{mark}-prompt"
        made = self._post(f"{MLFLOW}/logged-models", experiment_id=experiment, name=mark)
        self.names["logged_model"] = made["model"]["info"]["model_id"]
        self._files()
        self._registered(self.names["model"], source=f"mlflow-artifacts:/{self.names['folder']}")
        self._registered(self.names["prompt"], tags=PROMPT, source="prompt-template")
        self._evaluations()
        if installed().mlflow == "3.17.2":
            self._reviews()

    def _ask(self, request: Request, user: User | None = None) -> Answer:
        answer = self._application.ask(request, *(user or self._owner).credentials)
        assert answer.status in (200, 201), (request, answer.status, answer.text)
        return answer

    def _post(self, path: str, **body: Any) -> Mapping[str, Any]:
        return self._post_as(self._owner, path, **body)

    def _post_as(self, user: User, path: str, **body: Any) -> Mapping[str, Any]:
        # Some requests are answered with nothing.
        content: Mapping[str, Any] = json.loads(self._ask(Request.of("POST", path, body), user).body or b"{}")
        return content

    def _run(self, experiment: str) -> str:
        run = str(self._post(f"{MLFLOW}/runs/create", experiment_id=experiment, start_time=1)["run"]["info"]["run_id"])
        metric = {"key": self.secret, "value": 1, "timestamp": 1, "step": 1}
        self._post(
            f"{MLFLOW}/runs/log-batch",
            run_id=run,
            metrics=[metric],
            params=[{"key": "password", "value": self.secret}],
        )
        dataset = {"name": self.secret, "digest": "1", "source_type": "local", "source": "{}"}
        self._post(f"{MLFLOW}/runs/log-inputs", run_id=run, datasets=[{"dataset": dataset}])
        return run

    def _trace(self, experiment: str) -> str:
        trace = f"tr-{secrets.token_hex(16)}"
        info = {
            "trace_id": trace,
            "trace_location": {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": experiment}},
            "request_time": "2026-01-01T00:00:00Z",
            "state": "OK",
            "request_preview": self.secret,
            "tags": {"password": self.secret},
        }
        self._post(f"{THIRD}/traces", trace={"trace_info": info})
        return trace

    def _files(self) -> None:
        experiment, model = self.names["experiment"], self.names["logged_model"]
        for path in (self.names["artifact"], f"{experiment}/models/{model}/artifacts/{self.mark}.txt"):
            self._ask(Request(method="PUT", path=f"{PROXY}/{path}", body=self.secret.encode()))

    def _registered(self, name: str, *, source: str, tags: Any = ()) -> None:
        self._post(f"{MLFLOW}/registered-models/create", name=name, description=self.secret, tags=tags)
        body = {"run_id": self.names["run"]} if not tags else {}
        text = [{"key": "mlflow.prompt.text", "value": self.secret}, *tags] if tags else []
        self._post(f"{MLFLOW}/model-versions/create", name=name, source=source, tags=text, **body)
        self._post(f"{MLFLOW}/registered-models/alias", name=name, alias="first", version="1")

    def _evaluations(self) -> None:
        experiment = self.names["experiment"]
        made = self._post(f"{THIRD}/datasets/create", name=self.mark, experiment_ids=[experiment])
        self.names["dataset"] = made["dataset"]["dataset_id"]
        self.names["scorer"] = self.mark
        scorer = json.dumps({"name": self.mark, "description": self.secret, "instructions_judge_pydantic_data": None})
        self._post(f"{THIRD}/scorers/register", experiment_id=experiment, name=self.mark, serialized_scorer=scorer)

    def _reviews(self) -> None:
        about = {"experiment_id": self.names["experiment"], "name": self.mark}
        issue = self._post(f"{THIRD}/issues", **about, description=self.secret, status="pending")
        answers = {"pass_fail": {"positive_label": "y", "negative_label": "n"}}
        schema = {"type": "FEEDBACK", "title": self.secret, "input": answers}
        made = self._post(f"{THIRD}/label-schemas/create", **about, **schema)
        queue = self._post(f"{THIRD}/review-queues/create", **about, queue_type="CUSTOM")
        self.names |= {
            "issue": issue["issue"]["issue_id"],
            "label_schema": made["label_schema"]["schema_id"],
            "review_queue": queue["review_queue"]["queue_id"],
        }

    def grant(self, user: User, permission: str) -> None:
        """On everything that has grants of its own."""
        for thing in (
            f"experiments/{self.names['experiment']}",
            f"registered-models/{self.names['model']}",
            f"prompts/{self.names['prompt']}",
        ):
            self._post(f"{MLFLOW}/permissions/users/{user.email}/{thing}", permission=permission)

    def grant_experiment(self, user: User, permission: str) -> None:
        """On the experiment only."""
        path = f"{MLFLOW}/permissions/users/{user.email}/experiments/{self.names['experiment']}"
        self._post(path, permission=permission)

    def revoke(self, user: User) -> None:
        """The grant of the experiment, as another replica does: by rows."""
        from mlflow_oidc_auth.db.models import SqlExperimentPermission, SqlUser
        from mlflow_oidc_auth.store import store

        with store.ManagedSessionMaker() as session:
            (number,) = session.query(SqlUser.id).filter(SqlUser.username == user.email).one()
            of_user = SqlExperimentPermission.user_id == number
            session.query(SqlExperimentPermission).filter(of_user).delete()


def shows(answer: Answer, request: Request, mark: str, secret: str) -> bool:
    """Whether an answer tells more of a world than the request already knew."""
    known = answer.status >= 400 or mark in request.path or mark.encode() in request.body
    return secret in answer.text or (mark in answer.text and not known)


def make_administrator(user: User) -> None:
    """As a login does to a member of the group of administrators."""
    from mlflow_oidc_auth.db.models import SqlUser
    from mlflow_oidc_auth.store import store

    with store.ManagedSessionMaker() as session:
        session.query(SqlUser).filter(SqlUser.username == user.email).update({"is_admin": True})


def end_access(user: User) -> None:
    """As ``mlflow-sso end-access`` does to a user who may no longer log in."""
    from mlflow_oidc_auth.store import store

    from mlflow_sso import access_rows

    rows = access_rows.access_rows(installed())
    connection = store.engine.raw_connection()
    (gone,) = [known for known in rows.users(connection) if known.name == user.email]
    rows.end_access(connection.driver_connection, gone)
    connection.close()
