"""`init`, and what else asks for the hosts of an environment."""

from contextlib import nullcontext
from pathlib import Path

import pytest
import yaml

from cdk8s_mlflow.settings import InvalidSettingsError, load
from cdk8s_mlflow.synth.commands import write_tree
from cdk8s_mlflow.synth.new_environment import write_environment
from tests.manifests.workplaces import add_environment, run


def test_init_writes_environment_that_renders(workplace: Path) -> None:
    run("init", "staging", "--mlflow-host", "a.example.com", "--keycloak-host", "b.example.com")

    run("synth")

    assert load(workplace / "environments" / "staging.yaml").instance == "mlflow-staging"
    assert (workplace / "dist" / "staging" / "application" / "Deployment.mlflow.k8s.yaml").exists()


def test_init_asks_again_at_once(workplace: Path) -> None:
    answers = iter(["https://a.example.com", "mlflow.example.com", " a.example.com", "Auth", "auth.example.com"])
    said: list[str] = []
    given = {"--mlflow-host": None, "--keycloak-host": None}

    path = write_environment(Path("environments"), "staging", given=given, ask=lambda _: next(answers), say=said.append)

    assert load(path).ingress.host == "a.example.com"
    assert [line.split(": ")[2] for line in said] == ["ingress.host"] * 2 + ["authentication.keycloak_host"]
    assert "host mlflow.example.com would belong to environments/production.yaml too" in said[1]


def test_init_does_not_ask_what_no_answer_mends(workplace: Path) -> None:
    other = workplace / "environments" / "other.yaml"
    other.write_text(f"namespace: mlflow-staging\n{add_environment(other.parent, 'other').read_text()}")
    given = {"--mlflow-host": None, "--keycloak-host": None}

    with pytest.raises(InvalidSettingsError, match="namespace mlflow-staging"):
        write_environment(Path("environments"), "staging", given=given, ask=lambda _: "a.example.com", say=print)


def test_missing_host_is_asked_for_on_terminal(workplace: Path) -> None:
    file = workplace / "environments" / "production.yaml"
    file.write_text("authentication:\n  keycloak_host: auth.example.com\n")
    questions: list[str] = []

    def answer(question: str) -> str:
        questions.append(question)
        return "http://asked.example.com" if len(questions) == 1 else "asked.example.com"

    write_tree(
        file.parent,
        workplace / "dist",
        override_environment="production",
        say=print,
        progress=lambda count: nullcontext(print),
        ask=answer,
    )

    ingress = workplace / "dist" / "production" / "application" / "Ingress.mlflow.k8s.yaml"
    assert questions == ["production.yaml: ingress.host"] * 2
    assert yaml.safe_load(ingress.read_text())["spec"]["rules"][0]["host"] == "asked.example.com"
