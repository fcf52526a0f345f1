"""Judges each field that a GraphQL document asks for like its REST twin.

The releases have one schema but for two scalars of an experiment. MLflow takes a document, its variables and the name
of an operation, runs them with graphql-core against a schema of graphene's, and gives each root field's ``input`` to
the handler of the REST twin. The same library reads the document here: aliases, fragments, variables and default values
come out as what MLflow's resolvers will be given.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlflow_sso.authorization.errors import RefusedError
from mlflow_sso.authorization.reading import Request
from mlflow_sso.authorization.rules import MEMBER, Kind, Rule, reads, refused

if TYPE_CHECKING:
    from graphql import DocumentNode, FieldNode, GraphQLSchema, OperationDefinitionNode, SelectionSetNode

MAX_TOKENS = 4000
"""Words and signs of a document; those of the pages have fewer than 400."""

KEYS = frozenset({"query", "variables", "operationName"})
"""What a request may hold; ``extensions`` of Apollo's are not read by MLflow."""

_LIST = refused("ask model-versions/search, whose answer shows what the caller may read")

FIELDS: Mapping[str, Rule] = {
    "query mlflowGetExperiment": reads(Kind.EXPERIMENT, "experiment_id"),
    "query mlflowGetRun": reads(Kind.RUN, "run_id", also=("run_uuid",)),
    "query mlflowListArtifacts": reads(Kind.RUN, "run_id", also=("run_uuid",)),
    "query mlflowGetMetricHistoryBulkInterval": reads(Kind.RUN, "run_ids[]"),
    "query mlflowSearchRuns": reads(Kind.EXPERIMENT, "experiment_ids[]"),
    "query mlflowSearchModelVersions": _LIST,
    "query test": MEMBER,
    "mutation mlflowSearchRuns": reads(Kind.EXPERIMENT, "experiment_ids[]"),
    "mutation mlflowSearchDatasets": reads(Kind.EXPERIMENT, "experiment_ids[]"),
    "mutation testMutation": MEMBER,
}
"""Rule by operation and root field; nested fields show parts of what the root field named.

``modelVersions`` of a run are another matter: they belong to models, whose permissions the release has to ask for.
"""


@dataclass(frozen=True, slots=True)
class AskedField:
    """A root field of a document."""

    name: str
    """Operation and field, as in ``FIELDS``."""

    request: Request
    """Its ``input``, as if it were the body of the REST twin."""

    nested: frozenset[str]
    """Names of all fields below it."""

    @property
    def rule(self) -> Rule:
        """Its row of the table; raises ``RefusedError`` if there is none."""
        if self.name not in FIELDS:
            raise RefusedError(f"{self.name} is not in the table of GraphQL fields that this server serves")
        return FIELDS[self.name]


def asked_fields(payload: Mapping[str, Any], schema: "GraphQLSchema") -> list[AskedField]:
    """Every root field that ``payload`` may have resolved against ``schema``; raises ``RefusedError``."""
    # graphql is loaded with MLflow anyway; the programs that do without MLflow do without it, too.
    from graphql import OperationType

    document = _document(payload, schema)
    operation = _operation(document, payload)
    variables = _variables(payload, operation, schema)
    root = {OperationType.QUERY: schema.query_type, OperationType.MUTATION: schema.mutation_type}
    root_type = root.get(operation.operation)
    if root_type is None:
        raise _invalid("a subscription is not served")
    fragments = _Fragments(document)
    asked = []
    for node in fragments.fields(operation.selection_set):
        field = root_type.fields.get(node.name.value)
        if field is not None:
            request = Request({}, {}, _input(field, node, variables), query_is_body=False)
            nested = frozenset(fragments.names_below(node))
            asked.append(AskedField(f"{operation.operation.value} {node.name.value}", request, nested))
        elif node.name.value != "__typename":
            raise RefusedError("the schema itself is not served")
    return asked


def _document(payload: Mapping[str, Any], schema: "GraphQLSchema") -> "DocumentNode":
    from graphql import GraphQLError, parse, validate

    if unknown := sorted(set(payload) - KEYS):
        raise _invalid(f"a GraphQL request has no {unknown[0][:60]!r}")
    query = payload.get("query")
    if not isinstance(query, str):
        raise _invalid("a GraphQL request needs a query, which is text")
    try:
        # graphql-core parses before it validates, so only this bounds the work that an invalid document makes.
        document = parse(query, max_tokens=MAX_TOKENS)
        errors = validate(schema, document, max_errors=1)
    # The parser descends into selections by recursion, so a document with many levels ends like this.
    except (GraphQLError, RecursionError) as error:
        raise _invalid(f"not a GraphQL document: {str(error).splitlines()[0]}") from None
    if errors:
        raise _invalid(f"not a document of this server's GraphQL schema: {errors[0].message}")
    return document


def _operation(document: "DocumentNode", payload: Mapping[str, Any]) -> "OperationDefinitionNode":
    from graphql import OperationDefinitionNode

    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    if len(operations) != 1:
        raise _invalid("a GraphQL request must have exactly one operation")
    name = payload.get("operationName")
    own = operations[0].name
    if name is not None and (own is None or name != own.value):
        raise _invalid("operationName is not the name of the operation")
    return operations[0]


def _variables(
    payload: Mapping[str, Any], operation: "OperationDefinitionNode", schema: "GraphQLSchema"
) -> dict[str, Any]:
    from graphql.execution.values import get_variable_values

    given = payload.get("variables")
    if given is not None and not isinstance(given, dict):
        raise _invalid("the variables of a GraphQL request are an object")
    coerced = get_variable_values(schema, operation.variable_definitions, given or {}, max_errors=1)
    if isinstance(coerced, list):
        raise _invalid(f"the variables do not fit: {coerced[0].message}")
    found: dict[str, Any] = coerced
    return found


def _input(definition: Any, node: "FieldNode", variables: dict[str, Any]) -> Mapping[str, Any]:
    from graphql import GraphQLError
    from graphql.execution.values import get_argument_values

    try:
        arguments = get_argument_values(definition, node, variables)
    except GraphQLError as error:
        raise _invalid(f"the arguments do not fit: {error.message}") from None
    given = arguments.get("input") or {}
    for name, value in given.items():
        # MLflow's schema has lists of nullable strings; a null names no object that could be judged.
        if isinstance(value, list) and any(item is None for item in value):
            raise _invalid(f"{name} has a null among its values")
    return dict(given)


class _Fragments:
    """Follows the fragments of a validated document, which has no cycles among them."""

    def __init__(self, document: "DocumentNode") -> None:
        from graphql import FragmentDefinitionNode

        self._definitions = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }

    def fields(self, selections: "SelectionSetNode | None") -> "Iterator[FieldNode]":
        """The fields of one level, each fragment once."""
        from graphql import FieldNode, InlineFragmentNode

        waiting, spread = list(selections.selections if selections else ()), set()
        while waiting:
            selection = waiting.pop()
            if isinstance(selection, FieldNode):
                yield selection
            elif isinstance(selection, InlineFragmentNode):
                waiting += selection.selection_set.selections
            elif (name := selection.name.value) not in spread:
                spread.add(name)
                waiting += self._definitions[name].selection_set.selections

    def names_below(self, node: "FieldNode") -> set[str]:
        """Names of all fields below ``node``; a selection set that several fields share is read once."""
        names: set[str] = set()
        waiting, seen = [node.selection_set], set()
        while waiting:
            selections = waiting.pop()
            if selections is None or id(selections) in seen:
                continue
            seen.add(id(selections))
            for inner in self.fields(selections):
                names.add(inner.name.value)
                waiting.append(inner.selection_set)
        return names


def _invalid(message: str) -> RefusedError:
    return RefusedError(message, status=400, error_code="INVALID_PARAMETER_VALUE")
