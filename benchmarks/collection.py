"""What collecting registered modules costs: `python benchmarks/collection.py`.

Collects 1,000 modules that a file registers, each with its 30 items, and 1,000 empty tests, in turn, so that both sides
see the same machine; and prints the difference.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tabulate import tabulate

COUNT, REPETITIONS, LIMIT_S = 1000, 7, 2.0
_MODULE = """
@gradcheck.register
class Double{number}(gradcheck.Module):
    inputs = {{"x": gradcheck.real("N D")}}

    def forward(self, x):
        return 2 * x, None

    def backward(self, saved, a_bar):
        return {{"x": 2 * a_bar}}
"""


def seconds(file: str, folder: str) -> float:
    """Wall-clock time of collecting a file."""
    started = time.perf_counter()
    # Twice -q: a line for the file instead of one for every item. No other plugin, as they take what they take.
    options = ["--collect-only", "-qq", "-p", "no:cacheprovider", "-p", "gradcheck.plugins.pytest_plugin"]
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [sys.executable, "-m", "pytest", *options, file]
    subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=True)
    return time.perf_counter() - started


def main() -> None:
    """Measure and print the table."""
    with tempfile.TemporaryDirectory() as folder:
        modules = "import gradcheck\n" + "".join(_MODULE.format(number=number) for number in range(COUNT))
        Path(folder, "test_modules.py").write_text(modules)
        Path(folder, "test_empty.py").write_text("".join(f"def test_{n}():\n    pass\n\n\n" for n in range(COUNT)))
        pairs = [(seconds("test_empty.py", folder), seconds("test_modules.py", folder)) for _ in range(REPETITIONS)]
    empty, registered = (statistics.median(side) for side in zip(*pairs, strict=True))
    added = statistics.median(after - before for before, after in pairs)
    row = (f"{COUNT}", f"{empty:.2f}", f"{registered:.2f}", f"{added:+.2f}", f"{LIMIT_S:.0f}", added < LIMIT_S)
    print(tabulate([row], ("collected", "empty tests, s", "modules, s", "added, s", "limit, s", "within")))
    print(f"medians of {REPETITIONS} alternating runs, Python {sys.version.split()[0]}")


if __name__ == "__main__":
    main()
