"""``python -m mlflow_sso``: the console command where its script is not on the PATH."""

from mlflow_sso.cli import main

if __name__ == "__main__":
    main()
