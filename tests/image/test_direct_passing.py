"""The plugin's middlewares of 3.17.2 pass a request on in its own task, and do nothing with an answer."""

import json

import pytest
from pod import Pod

MIDDLEWARES = """
import ast, inspect, json, textwrap
from mlflow_oidc_auth.middleware import AuthMiddleware, ProxyHeadersMiddleware, WorkspaceContextMiddleware

def looks_at_answers(middleware):
    tree = ast.parse(textwrap.dedent(inspect.getsource(middleware.dispatch)))
    asked = [node for node in ast.walk(tree) if isinstance(node, ast.Await) and "call_next" in ast.unparse(node)]
    returned = {ast.unparse(node.value) for node in ast.walk(tree) if isinstance(node, ast.Return) and node.value}
    kept = [node for node in ast.walk(tree) if isinstance(node, ast.Assign) and node.value in asked]
    names = {node.targets[0].id for node in kept}
    uses = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)]
    returns = [node.value for node in ast.walk(tree) if isinstance(node, ast.Return)]
    passed_on = all(ast.unparse(node) in returned or any(one.value is node for one in kept) for node in asked)
    return not asked or not passed_on or any(one.id in names and one not in returns for one in uses)

three = (AuthMiddleware, ProxyHeadersMiddleware, WorkspaceContextMiddleware)
print(json.dumps([looks_at_answers(one) for one in three]))
"""

PASSED = """
import asyncio, json
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.responses import PlainTextResponse
from mlflow_sso.patches.mlflow_3_17_2 import direct_passing

class Login(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        if request.url.path == "/refused":
            return PlainTextResponse("refused", status_code=401)
        return await call_next(request)

Login.__call__ = direct_passing._call
tasks, sent = [], []

async def application(scope, receive, send):
    tasks.append(asyncio.current_task())
    if scope["path"] == "/broken":
        raise LookupError("of the application")
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"one", "more_body": True})
    await send({"type": "http.response.body", "body": b"two"})

async def main():
    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}
    async def send(message):
        sent.append(message.get("status") or message["body"].decode())
    tasks.append(asyncio.current_task())
    for path in ("/served", "/refused", "/broken"):
        scope = {"type": "http", "method": "GET", "path": path, "headers": [], "query_string": b"", "server": ("a", 80)}
        try:
            await Login(application)(scope, receive, send)
        except LookupError as error:
            sent.append(str(error))

asyncio.run(main())
print(json.dumps({"sent": sent, "tasks": len(set(tasks))}))
"""

pytestmark = [pytest.mark.servers, pytest.mark.parametrize("venv", ["3.17.2"], indirect=True)]


def run(pod: Pod, script: str) -> object:
    done = pod.script(script)
    assert done.code == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_plugin_looks_at_no_answer(migrated_once: Pod) -> None:
    # A release that does would find nothing to look at.
    assert run(migrated_once, MIDDLEWARES) == [False, False, False]


def test_answers_and_failures_pass_in_one_task(migrated_once: Pod) -> None:
    assert run(migrated_once, PASSED) == {
        "sent": [200, "one", "two", 401, "refused", "of the application"],
        "tasks": 1,
    }
