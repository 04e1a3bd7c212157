"""Options that add up: each time one is given, a report, a file or a waiver more."""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

from gradcheck.surfaces.formats.outputs import Output, output_for
from gradcheck.values.errors import ConfigurationError


class AddFormat(argparse.Action):
    """``--format F``: one more report, on standard output unless a ``-o`` follows."""

    def __call__(self, _parser: Any, namespace: argparse.Namespace, values: Any, _option: Any = None) -> None:
        """Append the report."""
        setattr(namespace, self.dest, (*(getattr(namespace, self.dest) or ()), Output(values)))


class AddFile(argparse.Action):
    """``-o FILE``: where the report of the ``--format`` before goes, or one in the format of its suffix."""

    def __call__(self, parser: Any, namespace: argparse.Namespace, values: Any, _option: Any = None) -> None:
        """Give the last report its file, or append a report."""
        outputs: tuple[Output, ...] = getattr(namespace, self.dest) or ()
        if values == "-":
            return  # standard output, where it goes anyway
        file = Path(values)
        if outputs and outputs[-1].file is None:
            outputs = (*outputs[:-1], replace(outputs[-1], file=file))
        else:
            try:
                outputs = (*outputs, output_for(file))
            except ConfigurationError as error:
                parser.error(f"{error}; or put --format before it")
        setattr(namespace, self.dest, outputs)


class AddWaiver(argparse.Action):
    """``--waive PROBE=REASON``: one more probe that is left out."""

    def __call__(self, parser: Any, namespace: argparse.Namespace, values: Any, _option: Any = None) -> None:
        """Add the probe and its reason."""
        probe, separator, reason = str(values).partition("=")
        if not separator or not reason.strip():
            parser.error(f'--waive {values}: expected a probe and a reason, such as layouts="reads by position"')
        setattr(namespace, self.dest, {**(getattr(namespace, self.dest) or {}), probe.strip(): reason.strip()})
