"""docs/other-charts.md: every known setting of other charts, what it is here, and whether it is imported."""

from collections.abc import Iterator

from cdk8s_mlflow.importing.chart import AREAS
from cdk8s_mlflow.settings.foreign_keys import EQUIVALENTS, REASONS

SAME_NAME = ("image", "ingress")
"""Areas that are sections here as well."""

ALWAYS_LEFT_OUT = ("flaskServerSecretKey", "telemetry")
"""Areas with a rule that carries nothing over."""

_HEAD = """\
# Settings of other charts

<!-- Written by `make schema`. -->

Every area of the values of community-charts/mlflow, and settings of bitnami/mlflow that have other names. `synth` says
the same of such a key in an environment file. `import-values` reads files of the first chart
([take over](tasks/take-over.md)); of an area that it carries over it names each setting that has no place here.

| setting | here | `import-values` |
|---|---|---|
"""


def page() -> str:
    """The whole page."""
    return _HEAD + "".join(f"{row}\n" for row in _rows())


def _rows() -> Iterator[str]:
    for key in sorted({*SAME_NAME, *EQUIVALENTS, *REASONS, *AREAS}, key=str.lower):
        yield f"| `{key}` | {_here(key)} | {'carries it over' if _is_carried(key) else 'says so'} |"


def _is_carried(key: str) -> bool:
    area = key.partition(".")[0]
    return area in AREAS and area not in ALWAYS_LEFT_OUT and (key == area or key in EQUIVALENTS)


def _here(key: str) -> str:
    if key in SAME_NAME:
        return f"section `{key}`"
    return f"`{EQUIVALENTS[key]}`" if key in EQUIVALENTS else REASONS[key]
