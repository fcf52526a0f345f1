"""Routes of the plugin by which permissions are seen and granted."""

from mlflow_sso.authorization.rules import ADMINISTRATOR, API, MEMBER, Kind, Route, Where, manages, rest

USER, GROUP = "/mlflow/permissions/users/<username>", "/mlflow/permissions/groups/<group_name>"
EXPERIMENT = ("experiments/<experiment_id>", manages(Kind.EXPERIMENT, "experiment_id", where=Where.PATH))
MODEL = ("registered-models/<name>", manages(Kind.REGISTERED_MODEL, "name", where=Where.PATH))
PROMPT = ("prompts/<prompt_name>", manages(Kind.REGISTERED_MODEL, "prompt_name", where=Where.PATH, also=("name",)))
PATTERNS = ("experiment-patterns", "registered-models-patterns", "prompts-patterns")


def _of_objects() -> list[Route]:
    rows = []
    for path, manage in (EXPERIMENT, MODEL, PROMPT):
        several = path.partition("/")[0]
        rows += [
            rest("GET POST PATCH DELETE", f"{USER}/{path}", manage, prefixes=API),
            rest("POST PATCH DELETE", f"{GROUP}/{path}", manage, prefixes=API),
            rest("GET", f"/mlflow/permissions/{path}/users", manage, prefixes=API),
            # These four show only what the caller may manage, or their own.
            rest("GET", f"/mlflow/permissions/{several}", MEMBER, prefixes=API),
            rest("GET", f"{USER}/{several}", MEMBER, prefixes=API),
            rest("GET", f"{GROUP}/{several}", MEMBER, prefixes=API),
        ]
    return rows


def _of_patterns() -> list[Route]:
    rows = []
    for patterns in PATTERNS:
        for holder in (USER, GROUP):
            rows += [
                rest("GET POST", f"{holder}/{patterns}", ADMINISTRATOR, prefixes=API),
                rest("GET PATCH DELETE", f"{holder}/{patterns}/<pattern_id>", ADMINISTRATOR, prefixes=API),
            ]
    return rows


ROUTES = (*_of_objects(), *_of_patterns())
