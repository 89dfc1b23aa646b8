"""Hosts to test the protocol side with: no meter stands behind them."""

from collections.abc import Callable

from meterwright.apdu import Apdu, AttributeDescriptor, MethodDescriptor, SelectiveAccess, decode_apdu
from meterwright.association import AssociationRequested, Grant
from meterwright.data import Data, octet_string
from meterwright.link import WrapperFrame, WrapperFramer
from meterwright.server import ActionOutcome, Caller, ObjectHost, Partners, ServerConnection
from meterwright.values import (
    AcseServiceUserDiagnostic,
    ActionResult,
    Conformance,
    DataAccessResult,
)

AARQ = bytes.fromhex("601da109060760857405080101be10040e01000000065f1f0400401e5dffff")
"""Proposes, among others, GET, SET, ACTION, multiple references, blocks with get; PDU size 65535."""


def aarq(max_pdu: int, conformance: str = "401e5d") -> bytes:
    """As AARQ, with another PDU size or other services."""
    return AARQ[:-5] + bytes.fromhex(conformance) + max_pdu.to_bytes(2, "big")


class Host(ObjectHost):
    """Attribute n of any object is n octets long, writing gives n as the result, so does calling method n. All services but one are granted."""

    def __init__(
        self, conformance: Conformance = ~Conformance.GENERAL_BLOCK_TRANSFER, max_pdu: int = 500
    ) -> None:
        self.grant: Grant | AcseServiceUserDiagnostic = Grant(conformance, max_pdu)
        self.seen: list[object] = []
        self.callers: list[Caller] = []
        self.on_get: Callable[[int], Data | DataAccessResult] = lambda size: octet_string(bytes(size))

    def associate(self, partners: Partners, asked: AssociationRequested) -> Grant | AcseServiceUserDiagnostic:
        self.seen.append((partners, asked.initiate.client_max_receive_pdu_size))
        return self.grant

    def get(
        self, caller: Caller, attribute: AttributeDescriptor, selection: SelectiveAccess | None
    ) -> Data | DataAccessResult:
        self.callers.append(caller)
        self.seen.append((attribute, selection))
        return self.on_get(attribute.class_id)

    def set(
        self, caller: Caller, attribute: AttributeDescriptor, value: Data, selection: SelectiveAccess | None
    ) -> DataAccessResult:
        self.callers.append(caller)
        self.seen.append((attribute, value, selection))
        return DataAccessResult(attribute.class_id)

    def invoke(self, caller: Caller, method: MethodDescriptor, parameters: Data | None) -> ActionOutcome:
        self.callers.append(caller)
        self.seen.append((method, parameters))
        return ActionOutcome(ActionResult(method.class_id), parameters)


class Line:
    """A connection to a host, spoken to in APDUs."""

    def __init__(self, host: ObjectHost) -> None:
        self.connection = ServerConnection(host)
        self._framer = WrapperFramer()

    def send(self, apdu: bytes | Apdu, *, client: int = 16, server: int = 1) -> list[Apdu]:
        """What is answered."""
        octets = apdu if isinstance(apdu, bytes) else apdu.to_octets()
        self.connection.receive(WrapperFrame(client, server, octets).to_octets())
        return self.collect()

    def collect(self) -> list[Apdu]:
        """What has been sent."""
        return [decode_apdu(frame.apdu) for frame in self._framer.receive(self.connection.data_to_send())]

    def ask(self, apdu: bytes | Apdu, *, client: int = 16, server: int = 1) -> Apdu:
        """The one answer."""
        (answer,) = self.send(apdu, client=client, server=server)
        return answer
