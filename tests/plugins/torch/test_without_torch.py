"""Without torch: a message says which extra to install."""

import subprocess
import sys

WITHOUT = """
import sys

sys.modules["torch"] = None
import gradcheck

try:
    import gradcheck.plugins.torch_adapter
except ImportError as error:
    assert "needs torch" in str(error) and "pip install 'gradcheck[torch]'" in str(error), error
else:
    raise SystemExit("it was imported")
"""


def test_without_torch_a_message_names_the_extra() -> None:
    subprocess.run([sys.executable, "-c", WITHOUT], check=True, timeout=60)
