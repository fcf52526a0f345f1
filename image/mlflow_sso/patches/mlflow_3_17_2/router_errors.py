"""Answers with what is wrong with a request, of which the plugin's routes say that they have failed.

Many of them (mlflow_oidc_auth/routers) answer 500 to every exception, also to MLflow's that a group or an experiment
does not exist, or that the last administrator has to stay one. Clients send such a request again and again, and alerts
count it as a fault of the server.
"""

from typing import Any


def tell_refusals_from_failures(application: Any) -> None:
    """Change how ``application``, the plugin's of FastAPI, answers such exceptions; it must not have answered yet."""
    # Importing MLflow takes seconds, which only the server and an upgrade spend.
    from mlflow.exceptions import MlflowException
    from starlette.exceptions import HTTPException
    from starlette.responses import JSONResponse

    answer = application.exception_handlers[HTTPException]

    async def answered(request: Any, error: Any) -> Any:
        cause = error.__cause__ or error.__context__
        status = _status_of(cause) if error.status_code == 500 and isinstance(cause, MlflowException) else 500
        if status < 500:
            return JSONResponse({"detail": cause.message.splitlines()[0]}, status)
        return await answer(request, error)

    application.exception_handlers[HTTPException] = answered


def _status_of(refusal: Any) -> int:
    # MLflow has 500 for it; the plugin's newer routes answer it as a conflict.
    return 409 if refusal.error_code == "INVALID_STATE" else int(refusal.get_http_status_code())
