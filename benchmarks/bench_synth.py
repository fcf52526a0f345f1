"""Speed and memory of synth, in one run on one machine: the bare floor, one environment, a hundred.

Prints wall seconds and the peak memory of all processes together (shared pages once), sampled every 20 ms.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from live.processes import resident

ROOT = Path(__file__).parents[1]
FLOOR = (
    "from cdk8s_mlflow.synth.render import use_packaged_node; use_packaged_node();"
    "import cdk8s, cdk8s_plus_27; app = cdk8s.App(outdir='out'); cdk8s.Chart(app, 'empty'); app.synth()"
)


def seconds(command: list[str], folder: Path) -> float:
    """Wall seconds of ``command``."""
    start = time.perf_counter()
    result = subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    if result.returncode:
        raise SystemExit(f"error: {command} ended with {result.returncode}")
    return time.perf_counter() - start


def megabytes(command: list[str], folder: Path) -> float:
    """Peak memory of ``command`` and its children; a run of its own, since looking costs time."""
    peak = 0
    # Standard output is thrown away: a pipe that is not read would stop the process.
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None:
            peak = max(peak, resident(process.pid))
            time.sleep(0.02)
    return peak / 1e6


def best(command: list[str], folder: Path) -> tuple[float, float]:
    """Seconds of the quickest of three runs, and megabytes."""
    return min(seconds(command, folder) for _ in range(3)), megabytes(command, folder)


def add_environments(folder: Path, source: str, numbers: range) -> None:
    """More of the same, each with a host and an instance of its own."""
    for number in numbers:
        name = f"site-{number:03}"
        text = f"instance: mlflow-{name}\n{source.replace('host: mlflow.', f'host: {name}.')}"
        (folder / "environments" / f"{name}.yaml").write_text(text, encoding="utf-8")


def one_changed(synth: list[str], folder: Path) -> float:
    """Seconds of a synth after one of the environments was changed; the best of three."""
    file, found = folder / "environments" / "site-050.yaml", []
    for times in range(3):
        text = file.read_text(encoding="utf-8")
        file.write_text(f'{text}\nlabels: {{ changed: "{times}" }}\n', encoding="utf-8")
        found.append(seconds(synth, folder))
        file.write_text(text, encoding="utf-8")
        seconds(synth, folder)
    return min(found)


def main() -> None:
    """Measure and print."""
    source = (ROOT / "environments" / "production.yaml").read_text(encoding="utf-8")
    cached = [sys.executable, str(ROOT / "main.py"), "synth"]
    synth = [*cached, "--no-cache"]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "environments").mkdir()
        (folder / "environments" / "production.yaml").write_text(source, encoding="utf-8")
        floor, floor_memory = best([sys.executable, "-c", FLOOR], folder)
        one, one_memory = best(synth, folder)
        # Not counted: fills the cache that the next ones use.
        seconds(cached, folder)
        unchanged = best(cached, folder)[0]
        # Ninety-nine beside `production`.
        add_environments(folder, source, range(99))
        hundred, hundred_memory = best(synth, folder)
        seconds(cached, folder)
        all_unchanged, changed = best(cached, folder)[0], one_changed(cached, folder)
        add_environments(folder, source, range(99, 299))
        three_hundred = megabytes(synth, folder)
        help_seconds = seconds([sys.executable, str(ROOT / "main.py"), "--help"], folder)
        helm = shutil.which("helm")
    print(f"cores                    {len(os.sched_getaffinity(0))}, load {os.getloadavg()[0]:.1f}")
    print(f"bare floor               {floor:.2f} s, {floor_memory:.0f} MB")
    print(f"one environment          {one:.2f} s, {one_memory:.0f} MB ({one / floor:.2f} x the floor)")
    print(f"the same, unchanged      {unchanged:.2f} s ({unchanged / floor:.2f} x the floor)")
    print(f"100 environments         {hundred:.2f} s, {hundred_memory:.0f} MB")
    print(f"one of them changed      {changed:.2f} s ({changed / hundred:.2f} x all), none {all_unchanged:.2f} s")
    print(f"300 environments         {three_hundred:.0f} MB (below 500)")
    print(f"each beyond the first    {(hundred - one) / 99 * 1000:.1f} ms")
    print(f"main.py --help           {help_seconds:.2f} s")
    print(f"helm                     {helm or 'not on the PATH, nothing to compare with'}")


if __name__ == "__main__":
    main()
