"""Every command that a document shows exists, with the options that it is shown with."""

import re
from argparse import ArgumentParser
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import typer
from commands import DOCUMENTS, ROOT, Command, commands

from cdk8s_mlflow.console import app as synth
from mlflow_bootstrap.cli import app as bootstrap
from mlflow_sso.cli import PROGRAMS

ALL = [command for document in DOCUMENTS for command in commands(document)]
PLACEHOLDER = re.compile(r"[A-Z][A-Z_]*|\[.*|.*\]|…|\.\.\.|.*\|.*")
"""Words that stand for something of the reader's own, such as NAME, [PART] and oidc|postgres."""

LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#]+)(#[^)]*)?\)")


def shown(program: str) -> list[Command]:
    return [command for command in ALL if command.program == program]


def make_targets() -> set[str]:
    files = [ROOT / "Makefile", *(ROOT / "mk").glob("*.mk")]
    return {name for file in files for name in re.findall(r"^([a-z0-9-]+):(?!=)", file.read_text(), re.MULTILINE)}


def check_options(app: typer.Typer, command: Command) -> None:
    """The command of ``app`` exists and has the options that it is shown with."""
    group: Any = typer.main.get_command(app)
    words = [word for word in command.arguments if not PLACEHOLDER.fullmatch(word)]
    named = words[0] if words and not words[0].startswith("-") else None
    assert named is None or named in group.commands, f"{command}: no such command"
    known = {option for parameter in (group.commands[named] if named else group).params for option in parameter.opts}
    assert {word.split("=")[0] for word in words if word.startswith("-")} <= known | {"--help", "-h"}, str(command)


def test_documents_show_commands_of_each_program() -> None:
    assert len(ALL) > 50
    assert all(shown(program) for program in ("make", "main.py", "bootstrap.py", "mlflow-sso"))


@pytest.mark.parametrize("command", shown("make"), ids=str)
def test_make_targets_exist(command: Command) -> None:
    targets = [word for word in command.arguments if "=" not in word and not PLACEHOLDER.fullmatch(word)]

    assert set(targets) <= make_targets(), str(command)


@pytest.mark.parametrize("command", shown("main.py"), ids=str)
def test_synth_commands_exist(command: Command) -> None:
    check_options(synth, command)


@pytest.mark.parametrize("command", shown("bootstrap.py"), ids=str)
def test_bootstrap_commands_exist(command: Command) -> None:
    check_options(bootstrap, command)


@pytest.mark.parametrize("command", shown("mlflow-sso"), ids=str)
def test_image_programs_exist(command: Command) -> None:
    words = [word for word in command.arguments if not PLACEHOLDER.fullmatch(word)]
    assert words in ([], ["--help"]) or words[0] in PROGRAMS, str(command)

    options = [word.split("=")[0] for word in words[1:] if word.startswith("-")]
    if options:
        parser = ArgumentParser()
        # As cli.py adds it to every program.
        parser.add_argument("--secrets-root")
        import_module(f"mlflow_sso.{words[0].replace('-', '_')}").add_arguments(parser)
        assert set(options) <= set(parser._option_string_actions) | {"--help"}, str(command)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_relative_links_lead_to_files(document: Path) -> None:
    targets = [match[1] for match in LINK.finditer(document.read_text())]

    assert [target for target in targets if not (document.parent / target).exists()] == []


def test_site_lists_every_page() -> None:
    listed = set(re.findall(r"[\w/-]+\.md", (ROOT / "mkdocs.yml").read_text()))

    assert listed == {str(page.relative_to(ROOT / "docs")) for page in (ROOT / "docs").rglob("*.md")}
