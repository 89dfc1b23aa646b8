"""How far a meter is with a new image: attribute 6 of the Image transfer class (18)."""

from meterwright.values.open_enum import OpenIntEnum

__all__ = ["ImageTransferStatus"]


class ImageTransferStatus(OpenIntEnum):
    """image_transfer_status (Blue Book, Image transfer).

    A status says nothing about *which* image it is of, and may be left over from an earlier transfer.
    """

    NOT_INITIATED = 0
    TRANSFER_INITIATED = 1
    VERIFICATION_INITIATED = 2
    VERIFICATION_SUCCESSFUL = 3
    VERIFICATION_FAILED = 4
    ACTIVATION_INITIATED = 5
    ACTIVATION_SUCCESSFUL = 6
    ACTIVATION_FAILED = 7
