"""Where meters in the field part from the books, as one value the core is given.

The defaults are the standard. Nothing in the core asks who made a meter. Each field names where the oddity was seen, and
is here only once the code obeys it.
"""

from dataclasses import dataclass
from enum import Enum

__all__ = ["ImageMethodParameter", "Quirks"]


class ImageMethodParameter(Enum):
    """What image_verify and image_activate are invoked with."""

    INTEGER = "integer"
    """integer 0, as the Blue Book has it"""
    UNSIGNED = "unsigned"
    """unsigned 0"""
    NULL = "null"
    """null-data"""


@dataclass(frozen=True, slots=True)
class Quirks:
    """A meter's oddities; `Quirks()` is a meter that follows the standard."""

    verify_parameter: ImageMethodParameter = ImageMethodParameter.INTEGER
    """Parameter of image_verify. Some meters want unsigned 0 or null-data; no maker named."""

    activate_parameter: ImageMethodParameter = ImageMethodParameter.INTEGER
    """Parameter of image_activate, which may differ from that of image_verify."""
