"""What a running server does when a mounted Secret changes: see it, check it, use it, replace workers if need be."""

from mlflow_sso.serve.rotation.outcomes import Outcomes
from mlflow_sso.serve.rotation.rotation import Rotation, share_of_spread

__all__ = ["Outcomes", "Rotation", "share_of_spread"]
