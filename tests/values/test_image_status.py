"""image_transfer_status against the Blue Book."""

from meterwright.values import ImageTransferStatus


def test_codes() -> None:
    assert [status.label for status in ImageTransferStatus] == [
        "not-initiated",
        "transfer-initiated",
        "verification-initiated",
        "verification-successful",
        "verification-failed",
        "activation-initiated",
        "activation-successful",
        "activation-failed",
    ]
    assert [status.value for status in ImageTransferStatus] == list(range(8))
    assert not ImageTransferStatus(8).is_known
