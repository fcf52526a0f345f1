"""Has the server look up what a model costs, by its list of models and by a span; writes what came of it as JSON.

Arguments: the root of the Secrets and the access keys by user name.
"""

import json
import sys

from application import Application, Request, basic
from otlp import CONTENT_TYPE, root_span
from world import THIRD, User, World, make_administrator

USAGE = {"input_tokens": 1000, "output_tokens": 1000, "total_tokens": 2000}
COSTLY = {"mlflow.llm.model": "gpt-4o", "mlflow.llm.provider": "openai", "mlflow.chat.tokenUsage": USAGE}


def main() -> None:
    """As an administrator, who may see the list."""
    anna = User("anna", (basic("anna", json.loads(sys.argv[2])["anna"]),))
    application = Application()
    world = World(application, anna)
    body = root_span(world.names["trace"], {name: json.dumps(value) for name, value in COSTLY.items()})
    headers = [("x-mlflow-experiment-id", world.names["experiment"]), CONTENT_TYPE]
    request = Request(method="POST", path="/v1/traces", headers=headers, body=body)
    stored = application.ask(request, *anna.credentials)
    path = f"{THIRD}/traces/get?trace_id={world.names['trace']}"
    shown = application.ask(Request.of("GET", path), *anna.credentials)
    make_administrator(anna)
    models = "/ajax-api/3.0/mlflow/gateway/supported-models?provider=openai"
    listed = application.ask(Request.of("GET", models), *anna.credentials)
    print(json.dumps({"listed": listed.status, "stored": stored.status, "cost": "mlflow.llm.cost" in shown.text}))


if __name__ == "__main__":
    main()
