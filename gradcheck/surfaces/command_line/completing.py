"""Shell completion, written by shtab from the parser of the command line."""

from argparse import Namespace

from gradcheck.values.errors import ConfigurationError

SHELLS = ("bash", "zsh", "tcsh")


def completion(options: Namespace) -> int:
    """Print the script for a shell; raise ConfigurationError without shtab."""
    try:
        import shtab
    except ImportError as error:
        raise ConfigurationError(
            "completion scripts are written by shtab, which is not installed: pip install 'gradcheck[cli]'"
        ) from error
    print(shtab.complete(options.build_parser(), shell=options.shell))
    return 0
