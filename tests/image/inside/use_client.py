"""Uses MLflow's own client of a release as its documentation says; writes what it found again, as JSON.

Arguments: a mark for the names of things. The server and the credentials are in the environment.
"""

import json
import sys
import warnings
from typing import Any

warnings.filterwarnings("ignore")

import mlflow  # noqa: E402
import pandas  # noqa: E402
from mlflow.pyfunc import PythonModel  # noqa: E402


class Same(PythonModel):
    """Predicts its input."""

    def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
        return model_input


@mlflow.trace
def answer(question: str) -> str:
    """What is evaluated."""
    return f"answer to {question}"


@mlflow.genai.scorer
def is_long(outputs: str) -> bool:
    """Whether an answer has more than ten characters."""
    return len(outputs) > 10


def log_run(mark: str) -> dict[str, Any]:
    """A run with a nested one, a data set, a table and a figure of each kind of thing that a run has."""
    data = pandas.DataFrame({"x": [1, 2]})
    with mlflow.start_run(run_name=mark, tags={"mlflow.note.content": "a note", "team": "a"}) as run:
        mlflow.log_params({"alpha": 1})
        mlflow.log_metrics({"loss": 0.5}, step=1)
        mlflow.log_input(mlflow.data.from_pandas(data, name="rows"), context="training")
        mlflow.log_table(data, "table.json")
        mlflow.log_text("text", "notes/text.txt")
        with mlflow.start_run(nested=True, run_name="inner"):
            mlflow.log_metric("loss", 0.25)
        # Unnamed, the client looks for them in a process of its own that loads the model, and asks no server.
        needs = ["mlflow", "pandas"]
        model = {"python_model": Same(), "pip_requirements": needs, "registered_model_name": f"{mark}-model"}
        info = mlflow.pyfunc.log_model(name="model", **model)
        question = answer("one")
    runs = mlflow.search_runs(filter_string="tags.team = 'a'", output_format="list")
    loaded = mlflow.pyfunc.load_model(f"models:/{mark}-model/1").predict(data)
    tables = mlflow.load_table("table.json", run_ids=[run.info.run_id])
    return {
        "runs": len(runs),
        "loaded": len(loaded),
        "tables": len(tables),
        "model": bool(info.model_id),
        "answer": question,
    }


def log_traces(mark: str) -> dict[str, Any]:
    """A trace with tags, an assessment and a link to its run."""
    answer("two")
    # A thread sends the spans.
    mlflow.flush_trace_async_logging()
    trace_id = mlflow.get_last_active_trace_id()
    mlflow.set_trace_tag(trace_id, "colour", "red")
    mlflow.log_feedback(trace_id=trace_id, name="good", value=True)
    mlflow.delete_trace_tag(trace_id, "colour")
    trace = mlflow.get_trace(trace_id)
    found = mlflow.search_traces(return_type="list")
    return {"spans": len(trace.data.spans), "found": len(found) > 0, "assessed": len(trace.info.assessments)}


def use_prompts(mark: str) -> dict[str, Any]:
    """Two versions of a prompt, an alias and a tag."""
    name = f"{mark}-prompt"
    mlflow.genai.register_prompt(name=name, template="Say {{word}}", tags={"team": "a"})
    second = mlflow.genai.register_prompt(name=name, template=[{"role": "user", "content": "Sing {{word}}"}])
    mlflow.genai.set_prompt_alias(name, alias="best", version=second.version)
    mlflow.MlflowClient().set_prompt_tag(name, "team", "b")
    mlflow.MlflowClient().set_prompt_version_tag(name, second.version, "reviewed", "yes")
    with mlflow.start_run():
        loaded = mlflow.genai.load_prompt(f"prompts:/{name}@best")
    return {"version": int(loaded.version), "names": len(list(mlflow.genai.search_prompts()))}


def use_datasets(mark: str, experiment: str) -> dict[str, Any]:
    """An evaluation data set of two records."""
    dataset = mlflow.genai.datasets.create_dataset(name=f"{mark}-dataset", experiment_id=experiment, tags={"team": "a"})
    dataset.merge_records([{"inputs": {"question": text}} for text in ("three", "four")])
    mlflow.genai.datasets.set_dataset_tags(dataset_id=dataset.dataset_id, tags={"team": "b"})
    again = mlflow.genai.datasets.get_dataset(dataset_id=dataset.dataset_id)
    return {"records": len(again.to_df())}


def evaluate() -> dict[str, Any]:
    """A function, then the traces that it left."""
    rows = [{"inputs": {"question": text}} for text in ("five", "six")]
    first = mlflow.genai.evaluate(data=rows, predict_fn=answer, scorers=[is_long])
    traces = mlflow.search_traces(run_id=first.run_id)
    second = mlflow.genai.evaluate(data=traces, scorers=[is_long])
    return {"first": first.metrics, "second": second.metrics}


def main() -> None:
    """Everything in an experiment of its own."""
    mark = sys.argv[1]
    experiment = mlflow.set_experiment(mark).experiment_id
    found = {"run": log_run(mark), "traces": log_traces(mark), "prompts": use_prompts(mark)}
    found |= {"datasets": use_datasets(mark, experiment), "evaluation": evaluate()}
    # Traces of another experiment are copied into this one.
    mlflow.set_experiment(f"{mark}-other")
    copied = mlflow.genai.evaluate(data=mlflow.search_traces(locations=[experiment], max_results=2), scorers=[is_long])
    print(json.dumps(found | {"copied": copied.metrics}))


if __name__ == "__main__":
    main()
