"""Options as people give them to ``check``, a mark or a suite, and the settings that come of them."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from gradcheck.checking.checks import require_valid
from gradcheck.values.errors import ConfigurationError, did_you_mean
from gradcheck.values.settings import Settings

# For `cases`: the drawn ones, and a search besides.
HYPOTHESIS = "hypothesis"


def settings_with(settings: Settings, options: Mapping[str, Any]) -> Settings:
    """The settings with some options changed; what is waived, and what is done besides, adds up.

    Raises ConfigurationError for an option that there is not, and for a value that is not allowed.

    >>> settings_with(Settings(), {"threshold": 1e-6, "cases": "hypothesis"}).also
    ('search',)
    """
    known = [setting.name for setting in fields(Settings)]
    for name in options:
        if name not in known:
            hint = did_you_mean(name, known)
            raise ConfigurationError(f"there is no option {name!r}; there are {', '.join(known)}{hint}")
    given = dict(options)
    if isinstance(given.get("waive", {}), Mapping):
        given["waive"] = {**settings.waive, **given.get("waive", {})}
    search: tuple[str, ...] = ()
    if given.get("cases") == HYPOTHESIS:
        del given["cases"]
        search = ("search",)
    also = given.pop("also", ())
    if isinstance(also, (list, tuple)):
        also = tuple(dict.fromkeys((*settings.also, *also, *search)))
    changed = replace(settings, **given, also=also)
    require_valid(changed)
    return changed
