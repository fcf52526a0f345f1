"""Answers with what is wrong with a request, of which the plugin's routes say that they have failed.

Many of them (mlflow_oidc_auth/routers) answer 500 to every exception, also to MLflow's that a group or an experiment
does not exist. Clients send such a request again and again, and alerts count it as a fault of the server.
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
        if error.status_code == 500 and isinstance(cause, MlflowException) and cause.get_http_status_code() < 500:
            return JSONResponse({"detail": cause.message.splitlines()[0]}, cause.get_http_status_code())
        return await answer(request, error)

    application.exception_handlers[HTTPException] = answered
