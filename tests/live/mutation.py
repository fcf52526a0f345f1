"""A change of one piece of text in the constructs, and the copy of them that has it."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from live.provisioning import ROOT


@dataclass(frozen=True, kw_only=True)
class Mutation:
    """One piece of text in a module of ``cdk8s_mlflow``, what stands there instead, and who notices it."""

    name: str
    module: str
    """Path below ``cdk8s_mlflow``."""
    was: str
    becomes: str
    noticed_by: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    """Settings under which the constant is used."""

    def __str__(self) -> str:
        return self.name

    def constructs(self, folder: Path) -> Path:
        """``folder``, which becomes a copy of the constructs with the mutation in it."""
        shutil.copytree(ROOT / "constructs", folder, ignore=shutil.ignore_patterns("__pycache__"))
        module = folder / "cdk8s_mlflow" / self.module
        text = module.read_text()
        # A mutation that no longer finds its text would leave the system whole.
        assert text.count(self.was) == 1, f"{self.was} stands {text.count(self.was)} times in {module}"
        module.write_text(text.replace(self.was, self.becomes))
        return folder
