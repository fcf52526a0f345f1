"""``cdk8s-mlflow doctor``: looks at everything that a deployment needs, and says what is wrong and what to do."""
