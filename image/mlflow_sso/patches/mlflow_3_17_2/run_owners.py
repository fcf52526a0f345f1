"""Remembers the experiment of a run, which mlflow-oidc-auth 11.0.2 reads for every check; it never changes.

It is the memory of our own decisions: what one of both has read, the other need not.
"""

import sys
from typing import Any

from mlflow_sso.authorization.remembering import Owners, Remembered
from mlflow_sso.authorization.rules import Kind


def remember_owners(remembered: Remembered) -> None:
    """Change the function wherever a module of the plugin has imported it by name."""
    # The plugin reads its settings when it is imported, so not before serve has set them.
    from mlflow_oidc_auth.utils import data_fetching

    read = data_fetching.get_run_experiment_id

    def owner(tracking_store: Any, run_id: str) -> str:
        def ask(_: list[str]) -> dict[str, Owners]:
            return {run_id: (str(read(tracking_store, run_id)),)}

        (experiment,) = remembered.owners(Kind.RUN, [run_id], ask)[run_id]
        return experiment

    for name, module in list(sys.modules.items()):
        if name.startswith("mlflow_oidc_auth.") and getattr(module, "get_run_experiment_id", None) is read:
            module.get_run_experiment_id = owner  # type: ignore[attr-defined]
