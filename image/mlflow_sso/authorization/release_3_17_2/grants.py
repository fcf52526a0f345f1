"""The plugin's own permissions of experiments, which all that an experiment holds inherits."""

from collections.abc import Iterable, Mapping

from mlflow_sso.authorization.rules import Kind, Level


class PluginPermissions:
    """Asks mlflow-oidc-auth 11.0.2 as its own checks do."""

    def levels(self, username: str, kind: Kind, names: Iterable[str]) -> Mapping[str, Level]:
        """The level that ``username`` has of each of ``names``."""
        from mlflow_oidc_auth.utils import effective_experiment_permission
        from mlflow_oidc_auth.utils.prompt_kind import effective_registry_permission

        ask = effective_registry_permission if kind is Kind.REGISTERED_MODEL else effective_experiment_permission
        return {name: level_of(ask(name, username).permission) for name in names}

    def readable(self, username: str, kind: Kind) -> frozenset[str]:
        """Not asked on this release: the plugin filters every list."""
        raise NotImplementedError(f"{username}, {kind}")


def level_of(permission: object) -> Level:
    """The level of the plugin's permission; one that it does not name like ours is none."""
    name = getattr(permission, "name", "")
    return Level[name] if name in Level.__members__ else Level.NONE
