"""Renders environments in a process of its own: ``python -O -m cdk8s_mlflow.synth.worker FOLDER FILE…``.

Prints the name of each environment when it is rendered. With -O jsii leaves out its run-time type checks, which cost
a third of the time; the tests run with them.
"""

import sys
from pathlib import Path

from cdk8s_mlflow.settings import load
from cdk8s_mlflow.synth.render import render


def main() -> None:
    """Render each FILE below FOLDER; the files have been checked before."""
    folder, *files = (Path(argument) for argument in sys.argv[1:])
    for file in files:
        render(load(file), environment=file.stem, folder=folder / file.stem)
        print(file.stem, flush=True)


if __name__ == "__main__":
    main()
