"""Every field that a GraphQL document could have resolved is named, with the arguments that its resolver would get."""

import json

import pytest
from pod import Pod

pytestmark = pytest.mark.servers

ASKED = """
import json, sys
from mlflow.server.graphql.graphql_schema_extensions import schema
from mlflow_sso.authorization.errors import RefusedError
from mlflow_sso.authorization.graphql import FIELDS, asked_fields

def asked(payload):
    try:
        return [[one.name, [one.request.values(need.field) for need in one.rule.needs], sorted(one.nested)]
                for one in asked_fields(payload, schema.graphql_schema)]
    except RefusedError as error:
        return error.message

types = {"query": schema.graphql_schema.query_type, "mutation": schema.graphql_schema.mutation_type}
served = [f"{operation} {field}" for operation, root in types.items() for field in root.fields]
print(json.dumps({"served": sorted(served), "table": sorted(FIELDS),
                  "asked": [asked(payload) for payload in json.loads(sys.argv[1])]}))
"""

RUNS = "{runs{info{runId}}}"
NAMED = {
    "list": ('mutation{mlflowSearchRuns(input:{experimentIds:["1","2"]})%s}', None, [["1", "2"]]),
    "one where a list is expected": ('{mlflowSearchRuns(input:{experimentIds:"5"})%s}', None, [["5"]]),
    "aliases": (
        'mutation{a:mlflowSearchRuns(input:{experimentIds:["1"]})%s b:mlflowSearchRuns(input:{experimentIds:["2"]})%s}',
        None,
        # Fields are judged from the last to the first.
        [["2"], ["1"]],
    ),
    "variable": ("query Q($d:[String]){mlflowSearchRuns(input:{experimentIds:$d})%s}", {"d": ["7"]}, [["7"]]),
    "default value": (
        'query Q($d:MlflowSearchRunsInput={experimentIds:["8"]}){mlflowSearchRuns(input:$d)%s}',
        None,
        [["8"]],
    ),
    "variable instead of the default": (
        'query Q($d:[String]=["8"]){mlflowSearchRuns(input:{experimentIds:$d})%s}',
        {"d": ["9"]},
        [["9"]],
    ),
    "fragment": (
        "query Q{...F} fragment F on Query{...on Query{mlflowSearchRuns(input:{experimentIds:[\"3\"]})%s}}",
        None,
        [["3"]],
    ),
    "nothing": ("{mlflowSearchRuns(input:{experimentIds:[]})%s}", None, [[]]),
}  # fmt: skip

REFUSED = {
    "the schema": ({"query": "{__schema{types{name}}}"}, "the schema itself is not served"),
    "unknown field": ({"query": "{nope}"}, "Cannot query field 'nope'"),
    "unknown argument": ({"query": '{mlflowGetRun(input:{id:"x"}){run{info{runId}}}}'}, "not a document of this"),
    "two operations": ({"query": "query A{test{output}} query B{test{output}}", "operationName": "A"}, "exactly one"),
    "another name": ({"query": "query A{test{output}}", "operationName": "B"}, "is not the name"),
    "switched off": ({"query": "{test @skip(if:true) {output}}"}, "Unknown directive"),
    "subscription": ({"query": "subscription{test{output}}"}, "a subscription is not served"),
    "two names of a run": (
        {"query": '{mlflowGetRun(input:{runId:"a",runUuid:"b"}){run{info{runId}}}}'},
        "says twice, and differently",
    ),
    "null in a list": ({"query": '{mlflowSearchRuns(input:{experimentIds:["1",null]}){runs{info{runId}}}}'}, "a null"),
    "variables of another type": (
        {"query": "query Q($d:[String]){mlflowSearchRuns(input:{experimentIds:$d}){runs{info{runId}}}}",
         "variables": {"d": {"a": 1}}},
        "do not fit",
    ),
    "no document": ({"query": ["{test{output}}"]}, "needs a query"),
    "no object of variables": ({"query": "{test{output}}", "variables": []}, "are an object"),
    "broken": ({"query": "{"}, "not a GraphQL document"),
    # More words than ``MAX_TOKENS`` of graphql.py.
    "long": ({"query": "{" + "test{output} " * 2000 + "}"}, "not a GraphQL document"),
    # More levels than the parser can descend into.
    "deep": ({"query": "{" * 3000}, "not a GraphQL document"),
    "something else": ({"query": "{test{output}}", "extensions": {}}, "has no 'extensions'"),
    "search by a filter": (
        {"query": '{mlflowSearchModelVersions(input:{filter:"x"}){modelVersions{name}}}'},
        None,
    ),
}  # fmt: skip


def test_graphql_fields_are_named_or_refused(pod: Pod) -> None:
    documents = [{"query": text.replace("%s", RUNS), "variables": variables} for text, variables, _ in NAMED.values()]
    payloads = [*documents, *(payload for payload, _ in REFUSED.values())]

    done = pod.script(ASKED, json.dumps(payloads))

    assert done.code == 0, done.stderr
    answer = json.loads(done.stdout.splitlines()[-1])
    assert answer["served"] == answer["table"]
    named = dict(zip([*NAMED, *REFUSED], answer["asked"], strict=True))
    for case, (_, _, experiments) in NAMED.items():
        assert isinstance(named[case], list), (case, named[case])
        assert [values for _, (values,), _ in named[case]] == experiments, case
    for case, (_, reason) in REFUSED.items():
        assert reason is None or reason in named[case], (case, named[case])
