"""The settings of one environment, of which no two contradict each other."""

from typing import Self

from pydantic import model_validator

from cdk8s_mlflow.settings.checks import conflicts
from cdk8s_mlflow.settings.environment import EnvironmentSettings


class Settings(EnvironmentSettings):
    """Everything by which one deployment of MLflow differs from another; no secrets."""

    @model_validator(mode="after")
    def _agree(self) -> Self:
        found = conflicts(self)
        if found:
            raise ConflictingSettingsError(found)
        return self


class ConflictingSettingsError(ValueError):
    """Settings that are fine each and cannot hold together; ``found`` has (key, message) pairs."""

    def __init__(self, found: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{key}: {message}" for key, message in found))
        self.found = found
