"""Speed and memory of synth, in one run on one machine: the bare floor, one environment, a hundred.

Prints wall seconds and the peak resident memory of all processes together, sampled every 20 ms.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
FLOOR = (
    "from cdk8s_mlflow.render import use_packaged_node; use_packaged_node();"
    "import cdk8s, cdk8s_plus_27; app = cdk8s.App(outdir='out'); cdk8s.Chart(app, 'empty'); app.synth()"
)
PAGE = os.sysconf("SC_PAGE_SIZE")


def _tree(pid: int) -> list[int]:
    try:
        tasks = Path(f"/proc/{pid}/task").iterdir()
        children = [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:
        return []
    return [pid, *(found for child in children for found in _tree(child))]


def _resident(pid: int) -> int:
    total = 0
    for member in _tree(pid):
        try:
            total += int(Path(f"/proc/{member}/statm").read_text().split()[1]) * PAGE
        except OSError:
            continue
    return total


def measure(command: list[str], folder: Path) -> tuple[float, float]:
    """Wall seconds and peak megabytes of ``command`` and its children."""
    start, peak = time.perf_counter(), 0
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None:
            peak = max(peak, _resident(process.pid))
            time.sleep(0.02)
    if process.returncode:
        raise SystemExit(f"error: {command} ended with {process.returncode}")
    return time.perf_counter() - start, peak / 1e6


def best(command: list[str], folder: Path) -> tuple[float, float]:
    """The quickest of three runs, and the largest memory."""
    runs = [measure(command, folder) for _ in range(3)]
    return min(seconds for seconds, _ in runs), max(memory for _, memory in runs)


def main() -> None:
    """Measure and print."""
    source = (ROOT / "environments" / "production.yaml").read_text(encoding="utf-8")
    synth = [sys.executable, str(ROOT / "main.py"), "synth"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "environments").mkdir()
        (folder / "environments" / "production.yaml").write_text(source, encoding="utf-8")
        floor, floor_memory = best([sys.executable, "-c", FLOOR], folder)
        one, one_memory = best(synth, folder)
        for number in range(99):
            (folder / "environments" / f"site-{number:02}.yaml").write_text(source, encoding="utf-8")
        hundred, hundred_memory = best(synth, folder)
        help_seconds, _ = best([sys.executable, str(ROOT / "main.py"), "--help"], folder)
        helm = shutil.which("helm")
    print(f"cores                    {len(os.sched_getaffinity(0))}")
    print(f"bare floor               {floor:.2f} s, {floor_memory:.0f} MB")
    print(f"one environment          {one:.2f} s, {one_memory:.0f} MB ({one / floor:.2f} x the floor)")
    print(f"100 environments         {hundred:.2f} s, {hundred_memory:.0f} MB")
    print(f"each beyond the first    {(hundred - one) / 99 * 1000:.1f} ms")
    print(f"main.py --help           {help_seconds:.2f} s")
    print(f"helm                     {helm or 'not on the PATH, nothing to compare with'}")


if __name__ == "__main__":
    main()
