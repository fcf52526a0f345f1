"""Environments in, dist/ out: `python main.py` writes what `make synth` and `cdk8s synth` write."""

from cdk8s_mlflow.synth.cli import app

if __name__ == "__main__":
    app()
