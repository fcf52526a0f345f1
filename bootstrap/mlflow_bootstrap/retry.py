"""How patient every call to a system is: attempts, pauses with jitter, and what is worth another attempt."""

from collections.abc import Callable
from typing import ParamSpec

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    retry_if_exception_type,
    stop_after_attempt,
    wait_random,
    wait_random_exponential,
)

from cdk8s_mlflow.settings.bootstrap import BootstrapSettings
from mlflow_bootstrap.errors import ConflictError

P = ParamSpec("P")

LONGEST_PAUSE_SECONDS = 30
TRANSIENT_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})
"""HTTP answers that a later attempt may turn into a success (RFC 9110, sections 15.5 and 15.6)."""


def retrying(
    settings: BootstrapSettings,
    *,
    transient: Callable[[BaseException], bool],
    before: Callable[[RetryCallState], None] | None = None,
) -> Retrying:
    """Attempts as the settings say, for errors that ``transient`` accepts; the last error is raised as it is.

    ``before`` is told of each failed attempt that another one follows.
    """
    return Retrying(
        stop=stop_after_attempt(settings.attempts),
        # Random, since Jobs of a pipeline that start together would also try again together.
        wait=wait_random_exponential(multiplier=settings.backoff_seconds, max=LONGEST_PAUSE_SECONDS),
        retry=retry_if_exception(transient),
        before_sleep=before,
        # tenacity's own RetryError would hide the error that says what is wrong.
        reraise=True,
    )


def retry_on_conflict(write: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
    """Call ``write`` until no other run has written meanwhile, five times at most; it reads anew each time.

    Raises:
        ConflictError: another run was first every time.
    """
    attempts = Retrying(
        stop=stop_after_attempt(5),
        # Short: the other run has written already, so nothing has to recover.
        wait=wait_random(0, 0.5),
        retry=retry_if_exception_type(ConflictError),
        reraise=True,
    )
    attempts(write, *args, **kwargs)
