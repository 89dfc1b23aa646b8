"""The companions by name, as settings and the command line call them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from meterwright.companion.is15959 import IS15959
from meterwright.companion.profile import Companion
from meterwright.errors import UsageError

__all__ = ["COMPANIONS", "PLAIN", "companion_named"]

PLAIN: Final = Companion(name="plain", title="no companion specification: nothing is known but what is said")

COMPANIONS: Final[Mapping[str, Companion]] = MappingProxyType({each.name: each for each in (PLAIN, IS15959)})
"""Every companion that is known here."""


def companion_named(name: str) -> Companion:
    """The companion of that name. UsageError where there is none."""
    try:
        return COMPANIONS[name]
    except KeyError:
        raise UsageError(
            f"there is no companion {name:.40}", hint=f"known are {', '.join(COMPANIONS)}"
        ) from None
