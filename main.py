"""Environments in, dist/ out: `python main.py` writes what `make synth` and `cdk8s synth` write."""

try:
    from cdk8s_mlflow.console import main
except ModuleNotFoundError as error:
    raise SystemExit(f"error: {error.name} is missing; run `make setup`, and again if the checkout was moved") from None

if __name__ == "__main__":
    main()
