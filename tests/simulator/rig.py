"""A simulated meter without a network: requests go through its ServerConnection as octets, time passes when told to."""

import random
from datetime import UTC, datetime

from meterwright.apdu import (
    Aare,
    Aarq,
    ActionRequestNormal,
    ActionResponseNormal,
    Apdu,
    AttributeDescriptor,
    GetRequestNext,
    GetRequestNormal,
    GetResponseNormal,
    GetResponseWithDataBlock,
    InitiateRequest,
    MethodDescriptor,
    SetRequestNormal,
    SetResponseNormal,
    decode_apdu,
)
from meterwright.data import Data, DataTag, double_long_unsigned, integer, octet_string
from meterwright.link import WrapperFrame, WrapperFramer
from meterwright.server import ServerConnection
from meterwright.simulator import ManualClock, MemoryStorage, MeterSettings, MeterStorage, plain_meter
from meterwright.values import (
    ActionResult,
    ApplicationContext,
    AuthenticationMechanism,
    Conformance,
    DataAccessResult,
    InvokeIdAndPriority,
    Obis,
)

START = datetime(2026, 1, 1, tzinfo=UTC)
IMAGE_OBJECT = "0.0.44.0.0.255"
INVOKE = InvokeIdAndPriority(1)
UNCONFIRMED = InvokeIdAndPriority(1, confirmed=False)
BLOCK = 16
EVERYTHING = ~Conformance(0)
IN_OWN_BLOCKS = EVERYTHING & ~Conformance.GENERAL_BLOCK_TRANSFER
"""So that what is long comes in the blocks of its service."""


def octets(count: int, seed: int = 1) -> bytes:
    """An image's worth of octets, always the same for a seed."""
    return random.Random(seed).randbytes(count)


def aarq(
    conformance: Conformance = IN_OWN_BLOCKS,
    max_receive_pdu_size: int = 1024,
    mechanism: AuthenticationMechanism | None = None,
) -> Aarq:
    """What a client asks an association with."""
    initiate = InitiateRequest(None, True, None, 6, conformance, max_receive_pdu_size)
    return Aarq(
        application_context_name=ApplicationContext.LN,
        mechanism_name=mechanism,
        user_information=initiate.to_octets(),
    )


class Rig:
    """One plain meter and one connection to it, not associated yet."""

    def __init__(
        self, settings: MeterSettings | None = None, storage: MeterStorage | None = None, serial: int = 1
    ) -> None:
        self.clock = ManualClock(START)
        self.troubles: list[Exception] = []
        self.settings = settings or MeterSettings(image_block_size=BLOCK)
        self.storage = storage or MemoryStorage()
        self.meter = plain_meter(
            serial, self.settings, storage=self.storage, clock=self.clock, trouble=self.troubles.append
        )
        self.connection = ServerConnection(self.meter)
        self._framer = WrapperFramer()

    def send(self, request: Apdu, *, client: int = 16, server: int = 1) -> list[Apdu]:
        """What the meter answers to a request."""
        return self.send_octets(request.to_octets(), client=client, server=server)

    def send_octets(self, apdu: bytes, *, client: int = 16, server: int = 1) -> list[Apdu]:
        """What the meter answers to octets that may be no request at all."""
        self.connection.receive(WrapperFrame(client, server, apdu).to_octets())
        frames = self._framer.receive(self.connection.data_to_send())
        assert all((frame.source, frame.destination) == (server, client) for frame in frames)
        return [decode_apdu(frame.apdu) for frame in frames]

    def ask(self, request: Apdu, *, client: int = 16, server: int = 1) -> Apdu:
        """The one answer to a request."""
        (answer,) = self.send(request, client=client, server=server)
        return answer

    def associate(self, request: Aarq | None = None, *, client: int = 16, server: int = 1) -> Aare:
        """Ask for an association."""
        answer = self.ask(request or aarq(), client=client, server=server)
        assert isinstance(answer, Aare)
        return answer

    def get(self, class_id: int, obis: str, attribute: int) -> Data | DataAccessResult:
        """Read one attribute, in blocks where it is long."""
        descriptor = AttributeDescriptor(class_id, Obis.parse(obis), attribute)
        answer = self.ask(GetRequestNormal(INVOKE, descriptor, None))
        raw = b""
        while isinstance(answer, GetResponseWithDataBlock):
            assert isinstance(answer.result, bytes)
            raw += answer.result
            if answer.last_block:
                return Data.from_octets(raw)
            answer = self.ask(GetRequestNext(INVOKE, answer.block_number))
        assert isinstance(answer, GetResponseNormal)
        return answer.result

    def value(self, class_id: int, obis: str, attribute: int) -> object:
        """The value of one attribute, which must have one."""
        result = self.get(class_id, obis, attribute)
        assert isinstance(result, Data), result
        return result.value

    def put(self, class_id: int, obis: str, attribute: int, value: Data) -> DataAccessResult:
        """Write one attribute."""
        descriptor = AttributeDescriptor(class_id, Obis.parse(obis), attribute)
        answer = self.ask(SetRequestNormal(INVOKE, descriptor, None, value))
        assert isinstance(answer, SetResponseNormal)
        return answer.result

    def call(
        self, method: int, parameter: Data | None, class_id: int = 18, obis: str = IMAGE_OBJECT
    ) -> ActionResult:
        """Call one method."""
        answer = self.ask(
            ActionRequestNormal(INVOKE, MethodDescriptor(class_id, Obis.parse(obis), method), parameter)
        )
        assert isinstance(answer, ActionResponseNormal)
        return answer.result

    def initiate(self, size: int, identifier: bytes = b"NEW-2.0") -> ActionResult:
        """Method 1."""
        return self.call(1, initiation(size, identifier))

    def block(self, number: int, block: bytes) -> ActionResult:
        """Method 2."""
        return self.call(2, image_block(number, block))

    def verify(self) -> ActionResult:
        """Method 3."""
        return self.call(3, integer(0))

    def activate(self) -> ActionResult:
        """Method 4."""
        return self.call(4, integer(0))

    def send_image(self, image: bytes) -> None:
        """All blocks, in order; each must be taken."""
        for number in range(-(-len(image) // BLOCK)):
            assert self.block(number, cut(image, number)) is ActionResult.SUCCESS

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.pass_by(seconds)
        self.meter.tick()

    def is_up(self) -> bool:
        """Whether the meter runs."""
        return self.meter.is_running

    def status(self) -> object:
        """Attribute 6."""
        return self.value(18, IMAGE_OBJECT, 6)

    def first_missing(self) -> object:
        """Attribute 4."""
        return self.value(18, IMAGE_OBJECT, 4)


def initiation(size: int, identifier: bytes = b"NEW-2.0") -> Data:
    """The parameter of method 1."""
    return Data(DataTag.STRUCTURE, (octet_string(identifier), double_long_unsigned(size)))


def image_block(number: int, block: bytes) -> Data:
    """The parameter of method 2."""
    return Data(DataTag.STRUCTURE, (double_long_unsigned(number), octet_string(block)))


def cut(image: bytes, number: int) -> bytes:
    """A block of an image."""
    return image[number * BLOCK : (number + 1) * BLOCK]
