"""The documentation as a site: ``make docs`` builds it into build/docs, of what is installed and without a network."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

import gradcheck

sys.path.insert(0, str(Path(__file__).parent))
os.environ["COLUMNS"] = "90"  # how wide argparse writes the pages of help

project = "gradcheck"
version = release = gradcheck.__version__
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "extensions.commands",
    "extensions.docstrings",
    "extensions.links",
    "extensions.pages",
]
exclude_patterns = ["plots", "images"]
smartquotes = False  # --threshold is an option, not a dash

html_theme = "furo"
html_title = "gradcheck"
html_copy_source = False
html_show_copyright = False
html_static_path = ["static"]
html_css_files = ["site.css"]
html_theme_options = {"navigation_with_keys": True}

myst_heading_anchors = 4  # as on GitHub, so that [this](page.md#a-heading) leads to the same place in both

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_mock_imports = [name for name in ("torch", "jax", "autograd") if find_spec(name) is None]
python_maximum_signature_line_length = 88
python_display_short_literal_types = True

nitpick_ignore_regex = [
    # Types of others are documented by others, whose pages could only be linked to with a network.
    ("py:.*", r"(collections|enum|functools|hypothesis|inspect|matplotlib|numpy|scipy|types|typing)\..*|Figure"),
    # What these functions take and return is made by other functions; nobody has to call it by its name.
    ("py:.*", r"gradcheck\.(checking|plugins|running|values\.(case|dimensions|domains))\..*"),
]
