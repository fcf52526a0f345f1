"""What one Prometheus alert is made of."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One rule; ``lasts`` is how long ``expr`` must hold, in Prometheus's notation."""

    name: str
    expr: str
    lasts: str
    severity: Literal["critical", "warning", "info"]
    summary: str
    """One line; Prometheus fills in ``{{ $labels.… }}`` and ``{{ $value }}``."""
