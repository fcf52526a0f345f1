"""What is refused of settings that cannot work."""

from typing import Any

import pytest
from pydantic import ValidationError

from cdk8s_mlflow.settings import Settings
from cdk8s_mlflow.settings.error_messages import error_messages
from tests.manifests.objects import MINIMAL


def refused(**changes: Any) -> dict[str, str]:
    """What is refused of the smallest environment with ``changes``, by key."""
    with pytest.raises(ValidationError) as error:
        Settings.model_validate({**MINIMAL, **changes})
    return dict(error_messages(error.value))
