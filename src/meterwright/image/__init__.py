"""Firmware images: where their octets come from."""

from meterwright.image.raw import LARGEST_IMAGE, FirmwareImage, image_identifier

__all__ = ["LARGEST_IMAGE", "FirmwareImage", "image_identifier"]
