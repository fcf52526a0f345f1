"""Environments in, dist/ out: `python main.py` writes what `make synth` and `cdk8s synth` write."""

from cdk8s_mlflow.console import main

if __name__ == "__main__":
    main()
