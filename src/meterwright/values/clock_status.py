"""What a meter thinks of its own clock: the last octet of a date-time, attribute 4 of the Clock class (8)."""

from enum import IntFlag

__all__ = ["ClockStatus"]


class ClockStatus(IntFlag):
    """What a meter thinks of its own clock. The three bits without a name are kept."""

    INVALID_VALUE = 0x01
    DOUBTFUL_VALUE = 0x02
    DIFFERENT_CLOCK_BASE = 0x04
    INVALID_CLOCK_STATUS = 0x08
    DAYLIGHT_SAVING_ACTIVE = 0x80

    @property
    def labels(self) -> tuple[str, ...]:
        """The named bits that are set: `("doubtful-value", "daylight-saving-active")`."""
        return tuple(
            name.lower().replace("_", "-") for name, bit in type(self).__members__.items() if bit in self
        )
