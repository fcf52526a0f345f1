"""A picture of the dashboard: what its queries gave, drawn by uPlot, the library that draws Grafana's time series.

Grafana itself is in no registry that this machine reaches; positions, titles, units and legends are the dashboard's.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from testbed.servers.programs import npm_modules
from testbed.servers.prometheus import Prometheus

UPLOT = "1.6.32"
PAGE = Path(__file__).with_name("dashboard.html")


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """Panels of a dashboard over the seconds from ``start`` to ``end``; ``windowed`` fills in Grafana's variables."""

    prometheus: Prometheus
    panels: Sequence[Mapping[str, Any]]
    start: int
    end: int
    windowed: Callable[[str], str]

    def show(self, page: Page) -> None:
        """Let the page show it."""
        library = npm_modules("uplot", UPLOT) / "uplot" / "dist"
        text = PAGE.read_text().replace("UPLOT_CSS", (library / "uPlot.min.css").read_text())
        page.set_content(text.replace("UPLOT_JS", (library / "uPlot.iife.min.js").read_text()))
        page.set_viewport_size({"width": 1440, "height": 900})
        page.evaluate("draw", self._data())
        page.set_viewport_size({"width": 1440, "height": page.evaluate("document.body.scrollHeight")})

    def _data(self) -> dict[str, Any]:
        return {"times": list(range(self.start, self.end + 1)), "panels": [self._panel(one) for one in self.panels]}

    def _panel(self, panel: Mapping[str, Any]) -> dict[str, Any]:
        place, targets = panel["gridPos"], panel.get("targets", ())
        return {
            "type": panel["type"],
            "title": panel["title"],
            "unit": panel.get("fieldConfig", {}).get("defaults", {}).get("unit", "short"),
            "x": place["x"],
            "width": place["w"],
            "shows": (panel.get("options") or {}).get("textMode", ""),
            "series": [one for target in targets for one in self._series(target)],
        }

    def _series(self, target: Mapping[str, Any]) -> list[dict[str, Any]]:
        found = self.prometheus.query_range(self.windowed(target["expr"]), start=self.start, end=self.end)
        return [
            {"legend": _legend(target["legendFormat"], sample["metric"]), "values": self._values(sample)}
            for sample in found
        ]

    def _values(self, sample: Mapping[str, Any]) -> list[float | None]:
        known = {int(time): float(value) for time, value in sample["values"]}
        shown = (known.get(second) for second in range(self.start, self.end + 1))
        # JSON has no NaN, which Grafana leaves out too.
        return [None if value is None or value != value else value for value in shown]


def _legend(text: str, metric: Mapping[str, str]) -> str:
    return re.sub(r"{{(\w+)}}", lambda found: metric.get(found[1], ""), text)


def panels(dashboard: str) -> list[dict[str, Any]]:
    """Those of the JSON of a dashboard, in the order of their places."""
    found: list[dict[str, Any]] = json.loads(dashboard)["panels"]
    return found
