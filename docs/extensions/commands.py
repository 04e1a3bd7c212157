"""The directive ``commands``: the page of help of every command, as it is printed."""

import argparse
from collections.abc import Iterator

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from gradcheck.surfaces.command_line.cli import build_parser


def parsers() -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Every command with its parser, in the order of ``gradcheck --help``."""
    for action in build_parser()._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from action.choices.items()


class Commands(SphinxDirective):
    """A section for every command, after the help of all of them."""

    def run(self) -> list[nodes.Node]:
        """Write the sections."""
        return [_help(build_parser()), *(self._section(name, parser) for name, parser in parsers())]

    def _section(self, name: str, parser: argparse.ArgumentParser) -> nodes.Node:
        title = f"gradcheck {name}"
        section = nodes.section("", nodes.title(title, title), _help(parser), names=[nodes.fully_normalize_name(title)])
        self.state.document.note_implicit_target(section, section)
        return section


def _help(parser: argparse.ArgumentParser) -> nodes.Node:
    text = parser.format_help()
    return nodes.literal_block(text, text, language="text")


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.add_directive("commands", Commands)
    return {"parallel_read_safe": True}
