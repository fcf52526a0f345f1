"""Loads the registered model that the guide's example has trained, and says what it predicts."""

import sys

import mlflow
from sklearn.datasets import load_iris

data, _ = load_iris(return_X_y=True)
model = mlflow.sklearn.load_model(f"models:/{sys.argv[1]}-classifier/Production")
print("predicts", "".join(str(kind) for kind in model.predict(data)))
