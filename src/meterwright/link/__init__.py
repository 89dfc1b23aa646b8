"""What carries an APDU: sans-IO machines that cut octets into frames and back."""

from meterwright.link.wrapper import HEADER_SIZE, WrapperFrame, WrapperFramer

__all__ = ["HEADER_SIZE", "WrapperFrame", "WrapperFramer"]
