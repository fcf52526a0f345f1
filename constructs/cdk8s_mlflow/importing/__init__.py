"""Other installations' settings as an environment file of ours: `cdk8s-mlflow import-values`."""
