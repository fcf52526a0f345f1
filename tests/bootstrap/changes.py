"""Changes as the tests compare them: the sign, the address, and the names of the fields that differ."""

from mlflow_bootstrap.engine import Action, Change, Failure


def named(item: Change | Failure) -> str:
    """A change without values, such as ``~ minio/user/mlflow  (policy)``; a failure as it is printed."""
    if isinstance(item, Failure) or item.action is not Action.UPDATE:
        return str(item)
    return f"{item.action} {item.address}  ({', '.join(item.fields)})"
