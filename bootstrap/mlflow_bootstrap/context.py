"""What the systems create their resources from."""

from dataclasses import dataclass

from cdk8s_mlflow.settings import Settings
from mlflow_bootstrap.credentials import Credentials
from mlflow_bootstrap.engine import NOTHING
from mlflow_bootstrap.ownership import Adoption
from mlflow_bootstrap.values import SecretValues


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The environment's settings, the logins, and what the command line asks for."""

    settings: Settings
    credentials: Credentials
    """Administrators' logins, read when they are needed."""
    values: SecretValues
    adoption: Adoption = NOTHING
    """What the operator has named to be taken over."""
    create_realm: bool = False
    probe: bool = False
    """Whether a check may leave a trace for a moment, such as an object that is put and deleted."""
