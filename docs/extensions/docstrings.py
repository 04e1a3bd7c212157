"""Docstrings are written to be read in the source; here they become what Sphinx reads.

A section "Arguments:" becomes a list. Stars and bars are those of dimensions and formulas (``*B``, |x|), not marks.
Names become links: public ones in double backticks, errors, and pages such as docs/scaling.md.
"""

import re
from collections.abc import Iterable, Iterator

from sphinx.application import Sphinx

import gradcheck

CATALOGUE = "reference/catalogue"
ARRAY = re.compile(r"~?numpy\.ndarray\[~?\w*\.?tuple\[~?[\w.]+, \.\.\.\], ~?[\w.]+\[~?[\w.]+\]\]")
CODE = re.compile(r"\s*(>>>|\.\.\. )")
LITERAL = re.compile(r"(``.*?``)")
MARK = re.compile(r"([*|])")
PAGE = re.compile(r"(?:``)?docs/([\w-]+)\.md(?:``)?")
NAME = re.compile(r"``(?:gradcheck\.)?(\w+)``|(?<![\w.`])(GradientMismatch|[A-Z]\w+Error)(?![\w`])")
ARGUMENT = re.compile(r" {4}(?P<names>\S[\w\\*, ]*): (?P<text>.*)")


def for_sphinx(lines: Iterable[str], own: str) -> list[str]:
    r"""A docstring as Sphinx reads it; without a link to what it is the docstring of.

    >>> for_sphinx(["|x| of ``from_object``, see docs/scaling.md."], "gradcheck.check")
    ['\\|x\\| of :py:obj:`~gradcheck.from_object`, see :doc:`/scaling`.']
    >>> for_sphinx(["Arguments:", "    a, b: two", "        numbers: any."], "")
    [':Arguments:', '    * **a, b** – two', '      numbers: any.']
    """
    return list(_with_lists(line if CODE.match(line) else _linked(_plain(line), own) for line in lines))


def _plain(line: str) -> str:
    """A line in which nothing outside of double backticks is a mark."""
    parts = LITERAL.split(line)
    return "".join(part if part.startswith("``") else MARK.sub(r"\\\1", part) for part in parts)


def _linked(line: str, own: str) -> str:
    def name(found: re.Match[str]) -> str:
        public = found[1] or found[2]
        known = public in gradcheck.__all__ and f"gradcheck.{public}" != own
        return f":py:obj:`~gradcheck.{public}`" if known else found[0]

    return PAGE.sub(r":doc:`/\1`", NAME.sub(name, line))


def _with_lists(lines: Iterable[str]) -> Iterator[str]:
    """The lines, the arguments as a list."""
    within = False
    for line in lines:
        within = line == "Arguments:" or (within and line.startswith("    "))
        if line == "Arguments:":
            yield ":Arguments:"
        elif within and (argument := ARGUMENT.fullmatch(line)):
            yield f"    * **{argument['names']}** – {argument['text']}"
        else:
            yield f"      {line.strip()}" if within else line


def on_docstring(app: Sphinx, what: str, name: str, of: object, options: object, lines: list[str]) -> None:
    """Take a docstring over."""
    del app, what, of, options
    lines[:] = for_sphinx(lines, name)


def on_signature(
    app: Sphinx, what: str, name: str, of: object, options: object, signature: str | None, returned: str | None
) -> tuple[str | None, str | None]:
    """Write arrays as such, and defaults that are made anew each time as dots."""
    del app, what, name, of, options
    arguments, result = (ARRAY.sub("~numpy.ndarray", text or "") for text in (signature, returned))
    return arguments.replace("<factory>", "...") or None, result or None


def on_member(app: Sphinx, what: str, name: str, of: object, skipped: bool, options: object) -> bool | None:
    """In the catalogue leave out what every module has: it is documented by the contract that they implement."""
    del what, of, skipped, options
    return True if app.env.docname == CATALOGUE and hasattr(gradcheck.Module, name) else None


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("autodoc-process-docstring", on_docstring)
    app.connect("autodoc-process-signature", on_signature)
    app.connect("autodoc-skip-member", on_member)
    return {"parallel_read_safe": True}
