"""Sends each REST request with a field that cannot be read before the others; writes what was served, as JSON.

Arguments: the root of the Secrets and the access keys by user name.
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

from application import Application, Request, basic
from world import MLFLOW, THIRD, User, World

from mlflow_sso.releases import installed

SERVICES = ("service_pb2", "model_registry_pb2")
OTHER_NAMES = {"request_id": "trace", "trace_id": "trace", "name": "model", "model_id": "logged_model", "key": "mark"}
"""What one's own things are called in requests, where it is not ``…_id``."""
ANY_VALUE = ("Value", "Struct", "ListValue")
"""Messages that take whatever is sent."""


def own(field: Any, mine: Mapping[str, str]) -> Any:
    """One's own thing for a field, None if it names none."""
    name = field.name.removesuffix("s") if field.is_repeated else field.name
    found = mine.get(OTHER_NAMES.get(name, name.removesuffix("_id")))
    return [found] if found and field.is_repeated else found


def unreadable(field: Any) -> Any:
    """A value that no field of this type takes; None if there is none."""
    if field.message_type is not None and field.message_type.name in ANY_VALUE:
        return None
    # Another name of an enumeration is passed over, as a field that is not known.
    return [] if field.enum_type is not None and not field.is_repeated else 1.5 if _is_text(field) else "no number"


def _is_text(field: Any) -> bool:
    is_plain = field.message_type is None and not field.is_repeated
    return not is_plain or field.type in (field.TYPE_STRING, field.TYPE_BYTES)


def requests(mine: Mapping[str, str]) -> Iterator[Request]:
    """Of each endpoint that takes a body, about one's own things, with one field after the other first."""
    from mlflow.protos import databricks_pb2

    for module in SERVICES:
        services = import_module(f"mlflow.protos.{module}").DESCRIPTOR.services_by_name.values()
        for method in (method for service in services for method in service.methods):
            for endpoint in method.GetOptions().Extensions[databricks_pb2.rpc].endpoints:
                if endpoint.method != "GET":
                    yield from _half_read(endpoint, method.input_type.fields, mine)


def _half_read(endpoint: Any, fields: Any, mine: Mapping[str, str]) -> Iterator[Request]:
    body = {field.name: thing for field in fields if (thing := own(field, mine)) is not None}
    path = re.sub(r"[{<](\w+)[>}]", lambda found: str(body.get(found[1])), endpoint.path)
    for field in fields:
        # What is in the path is not read from the body.
        if (value := unreadable(field)) is not None and f"{field.name}}}" not in endpoint.path:
            first = {field.name: value, **{name: thing for name, thing in body.items() if name != field.name}}
            yield Request.of(endpoint.method, f"/api/{endpoint.since.major}.0{path}", first)


def main() -> None:
    """As bert, beside what anna has."""
    keys, application = json.loads(sys.argv[2]), Application()
    anna, bert = (User(name, (basic(name, keys[name]),)) for name in ("anna", "bert"))
    theirs, mine = World(application, anna), World(application, bert).names
    count, wrong = 0, list[Any]()
    for request in requests(mine):
        answer = application.ask(request, *bert.credentials)
        count += 1
        if not 400 <= answer.status < 500 or theirs.mark in answer.text:
            wrong.append([request.method, request.path, request.body.decode(), answer.status, answer.text[:200]])
    served = [application.ask(request, *bert.credentials).status for request in readable(mine)]
    print(json.dumps({"count": count, "wrong": wrong, "served": served}))


def readable(mine: Mapping[str, str]) -> Iterator[Request]:
    """The same with all fields readable, in both orders of a page's and a client's."""
    yield Request.of("POST", f"{MLFLOW}/runs/search", {"max_results": "5", "experiment_ids": [mine["experiment"]]})
    yield Request.of("POST", f"{THIRD}/datasets/search", {"experiment_ids": [mine["experiment"]], "max_results": 5})
    if installed().mlflow == "3.17.2":
        yield Request.of("POST", f"{THIRD}/issues/search", {"filter_string": "", "experiment_id": mine["experiment"]})


if __name__ == "__main__":
    main()
