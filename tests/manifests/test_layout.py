"""The rules that keep the tree importable."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("folder", ["constructs", "tests/constructs"])
def test_no_package_hides_library_constructs(folder: str) -> None:
    assert not (ROOT / folder / "__init__.py").exists()
