"""Train on the iris data set, log everything, register the model, and load it back.

The address and the login come from the environment or from a file `.env` in the working directory.
Needs: mlflow, scikit-learn, python-dotenv.
"""

import os
import sys
from pathlib import Path

from dotenv import load_dotenv

load_dotenv(Path.cwd() / ".env")

import mlflow  # noqa: E402  (reads the environment)
from mlflow import MlflowClient  # noqa: E402
from sklearn.datasets import load_iris  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.model_selection import train_test_split  # noqa: E402

experiment = sys.argv[1] if len(sys.argv) > 1 else "iris"
model_name = f"{experiment}-classifier"

data, target = load_iris(return_X_y=True)
train_data, test_data, train_target, test_target = train_test_split(data, target, random_state=0)

mlflow.set_experiment(experiment)
with mlflow.start_run() as run:
    model = LogisticRegression(max_iter=200).fit(train_data, train_target)
    accuracy = model.score(test_data, test_target)
    mlflow.log_param("max_iter", 200)
    mlflow.log_metric("accuracy", accuracy)
    Path("notes.txt").write_text(f"accuracy {accuracy}\n")
    mlflow.log_artifact("notes.txt")
    logged = mlflow.sklearn.log_model(model, name="model", input_example=train_data[:2])

version = mlflow.register_model(logged.model_uri, model_name)
client = MlflowClient()
client.transition_model_version_stage(model_name, version.version, stage="Production")

loaded = mlflow.sklearn.load_model(f"models:/{model_name}/Production")
assert (loaded.predict(test_data) == model.predict(test_data)).all()

notes = mlflow.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path="notes.txt")
assert Path(notes).read_text() == f"accuracy {accuracy}\n"

print(f"run {run.info.run_id} at {os.environ['MLFLOW_TRACKING_URI']}")
print(f"{model_name} version {version.version} is in Production, accuracy {accuracy:.2f}")
