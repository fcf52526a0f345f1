"""Folds the name in a request for an access key, which release 3.17.2 compares with the caller's own."""

from mlflow_sso.patches.user_names import folded


def fold_sent_names() -> None:
    """To be called before the plugin's routers are imported, which compile their models."""
    # The plugin reads its settings when it is imported, so not before serve has set them.
    from mlflow_oidc_auth.models.user import CreateAccessTokenRequest
    from pydantic import AfterValidator

    field = CreateAccessTokenRequest.model_fields["username"]
    field.metadata.append(AfterValidator(lambda name: name if name is None else folded(name)))
    CreateAccessTokenRequest.model_rebuild(force=True)
