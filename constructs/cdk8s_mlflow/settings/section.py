"""What every section of the settings is made of: the base model and the field types with their bounds."""

import math
import re
from fractions import Fraction
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from cdk8s_mlflow.settings.addresses import LABEL


class Section(BaseModel):
    """A frozen group of settings; unknown keys and silently converted types are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    def replace(self, **changes: Any) -> Self:
        """The same section with ``changes``, validated again.

        Raises:
            pydantic.ValidationError: a changed value is not allowed.
        """
        # Only what was set is passed on, so that defaults that follow from the instance follow the new one.
        return type(self).model_validate({**{name: getattr(self, name) for name in self.model_fields_set}, **changes})


_CRON_FIELD = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
"""Bounds of each field; Kubernetes and CloudNativePG count weekdays from Sunday, 0, and know no 7."""
_CRON_PART = re.compile(r"(?P<range>\*|(?P<low>\d+)(-(?P<high>\d+))?)(/(?P<step>\d+))?")


def _cron(value: str) -> str:
    fields = value.split()
    if len(fields) != 5:
        raise ValueError("must have the five fields minute, hour, day, month, weekday, such as '17 3 * * *'")
    for text, (low, high) in zip(fields, _CRON_FIELD, strict=True):
        if not all(_cron_part(part, low, high) for part in text.split(",")):
            raise ValueError(f"has the field '{text}', which must lie in {low}-{high}, such as '17 3 * * *'")
    # With a weekday, cron runs on either of the two, so the day of the month need not exist.
    if fields[4].startswith("*") and not _is_in_a_year(day=fields[2], month=fields[3]):
        raise ValueError("names a day that none of its months has, so it would never run")
    return value


def _is_in_a_year(*, day: str, month: str) -> bool:
    """Whether any of the months has any of the days."""
    last = max(_LONGEST_MONTHS.get(number, 31) for number in _cron_numbers(month, *_CRON_FIELD[3]))
    return min(_cron_numbers(day, *_CRON_FIELD[2])) <= last


_LONGEST_MONTHS = {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}
"""Last day of the months that end before the 31st, in a leap year."""


def _cron_numbers(text: str, low: int, high: int) -> set[int]:
    """What a field whose parts are right stands for."""
    numbers: set[int] = set()
    for part in text.split(","):
        bounds, _, step = part.partition("/")
        first, _, last = (f"{low}-{high}" if bounds == "*" else bounds).partition("-")
        end = int(last or (high if step else first))
        numbers.update(range(int(first), end + 1, int(step or 1)))
    return numbers


def _cron_part(text: str, low: int, high: int) -> bool:
    match = _CRON_PART.fullmatch(text)
    # */90 of minutes would be once an hour.
    if not match or (match["step"] and not 0 < int(match["step"]) <= high):
        return False
    first = int(match["low"] or low)
    last = int(match["high"] or match["low"] or high)
    return low <= first <= last <= high


def matching(pattern: str, example: str) -> AfterValidator:
    """Text that matches ``pattern`` whole; the error shows ``example``."""
    compiled = re.compile(pattern)

    def check(value: str) -> str:
        # fullmatch, since $ also matches before a newline at the end.
        if not compiled.fullmatch(value):
            raise ValueError(f"must look like {example}")
        return value

    return AfterValidator(check)


def at_least(version: str, major: int, minor: int) -> bool:
    """Whether ``version``, such as 1.30 or 2.9.1, is ``major.minor`` or newer."""
    # As numbers: "1.9" is older than "1.30".
    return tuple(int(part) for part in version.split(".")[:2]) >= (major, minor)


ProductVersion = Annotated[str, matching(r"[0-9]{1,3}\.[0-9]{1,3}(\.[0-9]{1,4})?", "2.9 or 2.9.1, without a v")]
"""Version of an operator or a controller in the cluster."""

CronSchedule = Annotated[str, AfterValidator(_cron)]
Port = Annotated[int, Field(ge=1, le=65535)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=253, pattern=r"^[^\x00-\x1f\x7f]*$")]
"""Non-empty text on one line, without control characters."""

DnsLabel = Annotated[str, matching(LABEL, "mlflow (lowercase letters, digits and '-', at most 63)")]
"""A name that may be a Kubernetes namespace or Service (RFC 1123 label)."""

DnsName = Annotated[str, StringConstraints(max_length=253), matching(rf"{LABEL}(\.{LABEL})*", "mlflow-secret")]
"""A name that may be most Kubernetes objects (RFC 1123 subdomain)."""

Quantity = Annotated[str, matching(r"[0-9]+(\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?", "500m, 2 or 1Gi")]
"""A Kubernetes resource quantity."""

_UNITS: dict[str, Fraction | int] = {"m": Fraction(1, 1000), "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_UNITS |= {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}


def in_bytes(quantity: str) -> int:
    """The bytes that a ``Quantity`` stands for, rounded up, as Kubernetes does."""
    number, unit = re.fullmatch(r"([0-9.]+)([a-zA-Z]*)", quantity).groups()  # type: ignore[union-attr]
    return math.ceil(Fraction(number) * _UNITS.get(unit, 1))


Duration = Annotated[str, matching(r"(?=.)([0-9]+h)?([0-9]+m)?([0-9]+s)?", "30s, 10m or 1h")]
"""A Go duration in whole hours, minutes and seconds."""

EnvironmentName = Annotated[str, matching(r"[A-Za-z_][A-Za-z0-9_]*", "MLFLOW_LOGGING_LEVEL")]

Conflict = tuple[str, str]
"""Dotted key of a setting and what is wrong with it beside the others, with the remedy."""
