"""The one registry of xDLMS and ACSE APDUs: filled by the files of this folder, asked by everybody."""

from typing import Final

from meterwright.codec import ApduRegistry

__all__ = ["APDUS"]

APDUS: Final = ApduRegistry()
