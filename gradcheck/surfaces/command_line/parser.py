"""An argument parser that says what was probably meant, and shows examples of every command."""

import argparse
import re
from collections.abc import Sequence
from typing import Any, NoReturn

from gradcheck.values.errors import did_you_mean

_CHOICES = re.compile(r"invalid choice: '?(?P<given>[^']*?)'? \(choose from (?P<known>.*)\)$", re.DOTALL)
_OPTION = re.compile(r"(?<![\w-])--?[a-zA-Z][\w-]*")
# What shtab reads: where a file name is expected, and how the shells complete one.
_FILES = {"bash": "_shtab_compgen_files", "zsh": "_files", "tcsh": "f"}


class Parser(argparse.ArgumentParser):
    """An ``ArgumentParser`` whose errors name the command, option or choice that is close to a mistyped one."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"formatter_class": argparse.RawDescriptionHelpFormatter, **options})

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse; options that there are not are errors of the command that they were given to."""
        parsed, unknown = self.parse_known_args(args, namespace)
        if unknown:
            parser: Parser = getattr(parsed, "parser", self)
            known = _OPTION.findall(parser.format_usage())
            hints = [did_you_mean(word.partition("=")[0], known) for word in unknown if word.startswith("-")]
            parser.error(f"unrecognized arguments: {' '.join(unknown)}{next((hint for hint in hints if hint), '')}")
        return parsed

    def error(self, message: str) -> NoReturn:
        """Exit with status 2; where one of several words was expected, with the one that was probably meant."""
        if choices := _CHOICES.search(message):
            known = [word.strip().strip("'") for word in choices["known"].split(",")]
            message += did_you_mean(choices["given"], known)
        super().error(message)


def completed_as_file(action: argparse.Action) -> argparse.Action:
    """An argument that shells complete with the names of files."""
    action.complete = _FILES  # type: ignore[attr-defined]  # an attribute that shtab looks for
    return action


def manual(examples: Sequence[tuple[str, str]], *sections: str) -> str:
    """The end of a help page: what one types, with what it does, and further sections."""
    lines = [f"  {command}\n      {purpose}" for command, purpose in examples]
    return "\n\n".join(["\n".join(["examples:", *lines]), *sections])
