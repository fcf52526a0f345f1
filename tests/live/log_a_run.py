"""Run with a release's own Python: logs a run with an artifact by the real client, and prints where it is."""

import sys

import mlflow

experiment = mlflow.set_experiment(sys.argv[1])
with mlflow.start_run(run_name="first-run") as run:
    mlflow.log_params({"model": "random-forest", "trees": 200})
    for step in range(5):
        mlflow.log_metric("accuracy", 0.9 + step / 100, step=step)
    mlflow.log_text("setosa, versicolor, virginica\n", "labels.txt")
print(experiment.experiment_id, run.info.run_id, file=sys.__stdout__)
