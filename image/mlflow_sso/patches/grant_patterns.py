"""Lets the plugins compare patterns of grants by ``mlflow_sso.patterns``, and refuse those that match nothing there."""

import sys
from collections.abc import Callable
from typing import Any

from mlflow_sso import patterns


class Matcher:
    """In place of ``re`` in a module that only asks ``re.match``."""

    @staticmethod
    def match(pattern: str, name: str) -> bool:
        return patterns.matches(pattern, name)


def compare_within_bounds() -> None:
    """Change both how the plugin of the release compares and what it stores; after its repositories are imported."""
    # The plugin reads its settings when it is imported, so not before serve has set them.
    from mlflow_oidc_auth.repository import utils
    from mlflow_oidc_auth.utils import permissions

    if hasattr(permissions, "re"):
        permissions.re = Matcher
    else:
        from mlflow_oidc_auth.utils import grant_context

        grant_context._pattern_matches = lambda rule, name: patterns.matches(rule.regex, name)
    validate: Any = utils.validate_regex
    refusing = _refusing(validate)
    # The repositories have imported it by name.
    for name, module in list(sys.modules.items()):
        if name.startswith("mlflow_oidc_auth.repository") and getattr(module, "validate_regex", None) is validate:
            module.validate_regex = refusing  # type: ignore[attr-defined]


def _refusing(validate: Callable[[str], None]) -> Callable[[str], None]:
    # Importing MLflow takes seconds, which only the server spends.
    from mlflow.exceptions import MlflowException

    def validated(regex: Any) -> None:
        validate(regex)
        problem = patterns.problem_of(regex)
        if problem:
            raise MlflowException.invalid_parameter_value(problem)

    return validated
