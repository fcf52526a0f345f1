"""Trace a function, and find the trace again with what it was given and what it gave back.

Needs: mlflow, python-dotenv, connection.py beside it, and a server.
"""

import sys

import mlflow
from connection import connect

connect()
experiment = sys.argv[1] if len(sys.argv) > 1 else "assistant"
mlflow.set_experiment(experiment)


@mlflow.trace
def greet(name: str) -> str:
    """What a model would answer."""
    return f"Good morning, {name}."


answer = greet("Ada")
mlflow.flush_trace_async_logging()

trace = mlflow.get_trace(mlflow.get_last_active_trace_id())
if trace is None or not trace.data.spans:
    sys.exit("error: the server has kept no spans of the trace")
assert [span.name for span in trace.data.spans] == ["greet"]
assert trace.data.spans[0].inputs == {"name": "Ada"}
assert trace.data.spans[0].outputs == answer
print(f"trace {trace.info.trace_id} of experiment {trace.info.experiment_id}")
