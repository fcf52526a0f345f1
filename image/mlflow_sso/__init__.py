"""The programs that run in the pods, behind the one console command ``mlflow-sso``."""
