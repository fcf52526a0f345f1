"""Train on the iris data set, log everything, register the model, and load it back.

Needs: mlflow, scikit-learn, python-dotenv, and connection.py beside it.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import mlflow
from connection import connect
from mlflow import MlflowClient
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

server = connect()
experiment = sys.argv[1] if len(sys.argv) > 1 else "iris"
model_name = f"{experiment}-classifier"

data, target = load_iris(return_X_y=True)
train_data, test_data, train_target, test_target = train_test_split(data, target, random_state=0)

mlflow.set_experiment(experiment)
with TemporaryDirectory() as folder, mlflow.start_run() as run:
    model = RandomForestClassifier(n_estimators=20, random_state=0).fit(train_data, train_target)
    accuracy = model.score(test_data, test_target)
    mlflow.log_param("n_estimators", 20)
    mlflow.log_metric("accuracy", accuracy)
    notes = Path(folder, "notes.txt")
    notes.write_text(f"accuracy {accuracy}\n")
    mlflow.log_artifact(str(notes))
    # Named since the default of newer clients, skops, refuses to save trees.
    logged = mlflow.sklearn.log_model(
        model, name="model", input_example=train_data[:2], serialization_format="cloudpickle"
    )

version = mlflow.register_model(logged.model_uri, model_name)
client = MlflowClient()
client.transition_model_version_stage(model_name, version.version, stage="Production")

loaded = mlflow.sklearn.load_model(f"models:/{model_name}/Production")
assert (loaded.predict(test_data) == model.predict(test_data)).all()

with TemporaryDirectory() as folder:
    received = mlflow.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path="notes.txt", dst_path=folder)
    assert Path(received).read_text() == f"accuracy {accuracy}\n"

print(f"run {run.info.run_id} at {server}")
print(f"{model_name} version {version.version} is in Production, accuracy {accuracy:.2f}")
