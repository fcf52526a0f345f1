"""The rules that keep the tree importable, and its names and words plain."""

import ast
import io
import re
import subprocess
import tokenize
from collections.abc import Container, Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = ("constructs", "bootstrap", "image")
"""Source roots, each of one package."""

RETIRED = {
    "nobody": r"\bnobody\b",
    "somebody": r"\bsomebody\b",
    "whom": r"\bwhom\b",
    "door": r"\bdoors?\b|_doors?\b|\bdoor_",
    "neighbour": r"neighbour",
    "take away": r"\b(take|takes|taken|took|taking) away\b|take_away",
    "or nothing": r"\bor nothing\b(?! to)|\bnothing where\b",
    "alone": r"\balone\b",
    "is there already": r"\b(is|are) there already\b",
    "who may not": r"\bwho may not\b|\bwho needs whom\b",
    "make it": r"\bMake it\b",
    "where it is missing": r"\bwhere it is missing\b|\bwhere there is nothing\b",
    "names of functions": r"\b(keep_the_reason_on_the_page|pass_over_unlikely_routers|asked_only_about|role_itself"
    r"|_told|lead_to|last_words|only_one|refuse_contradictions|door_environment|AGAINST_OTHERS|_mend|_door|hired)\b",
    "names of classes": r"\b(Flavour|SecretRecipe|MirroredSecret|OutageInsteadOfRefusal|Visitor|Person|Witness|Whole"
    r"|HOPELESS_RESTARTS)\b",
    "names of modules": r"\btest_house\b|\btest_life_\w+|settings\.(leaks|explain)\b",
}
"""Words and names of a private language, which plain technical English has replaced, as patterns."""

ALLOWED_USES = 3
"""Uses of a retired word in the whole tree."""

TEXT = re.compile(r"\.(py|md|mk|toml|sh|template)$|Makefile$|Dockerfile$")
GENERATED = re.compile(r"^(dist|imports|tests/package/other_app)/|CHANGELOG\.md$|test_layout\.py$")
"""What is generated, and history."""

NAME_WORDS = 8

TESTS = ("bootstrap", "documents", "image", "live", "manifests", "node", "package", "testbed")
ROOMS = ("constructs", "bootstrap", "image", "live", "benchmarks", "tools", *(f"tests/{name}" for name in TESTS))
"""Folders of hand-written Python whose figures are held."""
REASONS = 0.02
"""The share of lines that gives a reason."""

PRAGMA = re.compile(r"#\s*(noqa|type: ignore|fmt:)")
FILE_LINES, FUNCTION_LINES = 300, 40


@cache
def texts() -> dict[str, str]:
    """Every text of the tree that is written by hand, by its path."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split(
        "\n"
    )
    skipped = [name for name in listed if GENERATED.search(name)]
    names = [name for name in listed if TEXT.search(name) and name not in skipped and (ROOT / name).is_file()]
    if not names:
        pytest.skip("lists the tree by git, which knows no files here")
    return {name: (ROOT / name).read_text(encoding="utf-8") for name in names}


def names_of_tests() -> list[str]:
    return [
        name
        for path, text in texts().items()
        if path.startswith("tests/")
        for name in re.findall(r"^(?:async )?def test_(\w+)\(", text, re.MULTILINE)
    ]


def modules(root: str) -> dict[str, Path]:
    """The modules below a source root, by their dotted name."""
    paths = sorted((ROOT / root).rglob("*.py"))
    return {
        ".".join(path.relative_to(ROOT / root).with_suffix("").parts).removesuffix(".__init__"): path for path in paths
    }


def imported(path: Path, known: Container[str]) -> Iterator[str]:
    """Modules among ``known`` that a module imports, also in its functions and for its types."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in known else node.module for name in inner)


def sources(room: str) -> dict[str, str]:
    """The Python of a room, by its path."""
    return {path: text for path, text in texts().items() if path.startswith(f"{room}/") and path.endswith(".py")}


def reasons(text: str) -> int:
    """Lines of a module that end with a comment, without those that only tools read."""
    found = tokenize.generate_tokens(io.StringIO(text).readline)
    return sum(token.type == tokenize.COMMENT and not PRAGMA.match(token.string) for token in found)


def too_long(path: str, text: str) -> Iterator[str]:
    """The module, and its functions, if they have too many lines."""
    if (lines := len(text.splitlines())) > FILE_LINES:
        yield f"{path}: {lines} lines"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES:
                yield f"{path}: {node.name} has {lines} lines"


@pytest.mark.parametrize("folder", ["constructs", "tests/constructs"])
def test_no_package_hides_the_library_constructs(folder: str) -> None:
    assert not (ROOT / folder / "__init__.py").exists()


@pytest.mark.parametrize("root", SOURCES)
def test_modules_import_in_no_cycle(root: str) -> None:
    known = modules(root)
    graph = {
        name: {other for other in imported(path, known) if other in known} - {name} for name, path in known.items()
    }

    assert [*TopologicalSorter(graph).static_order()]


@pytest.mark.parametrize("word", RETIRED)
def test_retired_words_are_rare(word: str) -> None:
    pattern = re.compile(RETIRED[word])
    uses = [f"{path}: {match[0]}" for path, text in texts().items() for match in pattern.finditer(text)]

    assert len(uses) <= ALLOWED_USES, "\n".join(uses)


def test_names_of_tests_are_short() -> None:
    words = sorted(len(name.split("_")) for name in names_of_tests())

    assert words[len(words) * 9 // 10] <= NAME_WORDS


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_give_reasons(room: str) -> None:
    given = {path: (reasons(text), len(text.splitlines())) for path, text in sources(room).items()}
    found, lines = (sum(figures) for figures in zip(*given.values(), strict=True))

    silent = sorted((path for path in given if not given[path][0]), key=lambda path: -given[path][1])
    assert found >= REASONS * lines, f"{found} comments in {lines} lines; none in {', '.join(silent[:9])}"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("one = 1  # a reason\n# another\n", 2),
        ('text = """\n# not a comment\n"""\n', 0),
        ("import sys  # noqa: F401\nnumber = one  # type: ignore[name-defined]\n", 0),
    ],
)
def test_reasons_are_comments_for_readers(text: str, found: int) -> None:
    assert reasons(text) == found


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_have_short_parts(room: str) -> None:
    assert [line for path, text in sources(room).items() for line in too_long(path, text)] == []


def test_too_long_names_file_and_function() -> None:
    function = "def f():\n" + "    pass\n" * FUNCTION_LINES

    found = [*too_long("a.py", function + "\n" * FILE_LINES)]

    assert found == ["a.py: 341 lines", "a.py: f has 41 lines"]
