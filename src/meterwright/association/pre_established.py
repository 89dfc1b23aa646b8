"""Associations that were agreed on beforehand: both sides know what holds, and no AARQ is ever sent (Green Book 9.4.4).

They are there as long as client and meter are: an RLRQ does not end them, and an AARQ does not make others of them.
"""

from dataclasses import dataclass

from meterwright.association.negotiation import SMALLEST_PDU, Context
from meterwright.association.states import Role
from meterwright.cosem import AssociationIdentity
from meterwright.errors import UsageError
from meterwright.values import Conformance

__all__ = ["PreEstablished"]


@dataclass(frozen=True, slots=True)
class PreEstablished:
    """What was agreed on: services, and the largest APDU that each side takes, in octets (0: no limit).

    UsageError where a size is too small to be legal.
    """

    conformance: Conformance
    client_max_receive_pdu_size: int
    server_max_receive_pdu_size: int

    def __post_init__(self) -> None:
        for size in (self.client_max_receive_pdu_size, self.server_max_receive_pdu_size):
            if size < 0 or 0 < size < SMALLEST_PDU:
                raise UsageError(
                    f"a maximum PDU size of {size} octets is illegal",
                    layer="association",
                    hint=f"0 means no limit, {SMALLEST_PDU} is the least",
                )

    def context(self, role: Role, label: str) -> Context:
        """What holds, for that side."""
        ours, theirs = self.client_max_receive_pdu_size, self.server_max_receive_pdu_size
        if role is Role.SERVER:
            ours, theirs = theirs, ours
        return Context(AssociationIdentity(label), self.conformance, theirs, ours)
