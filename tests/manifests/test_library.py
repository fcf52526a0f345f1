"""The guide's example runs as it stands, in a process of its own."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_example_of_the_guide_runs_in_another_app(tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "library.md").read_text(), re.S)
    (tmp_path / "environments").symlink_to(ROOT / "environments")
    (tmp_path / "app.py").write_text(code)

    result = subprocess.run([sys.executable, "app.py"], cwd=tmp_path, capture_output=True, text=True, check=True)

    assert re.fullmatch(r"mlflow-db-migration-[0-9a-f]{10} https://mlflow\.example\.com\n", result.stdout)
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"mlflow.k8s.yaml", "mlflow-database.k8s.yaml"} <= written
