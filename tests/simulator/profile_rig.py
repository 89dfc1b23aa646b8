"""A simulated meter with one profile of given rows, and access to it through whole stacks in memory."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from meterwright.apdu import AttributeDescriptor, MethodDescriptor, SelectiveAccess
from meterwright.cosem import AssociationIdentity, BlockingAccess, CaptureObject, SortMethod
from meterwright.data import Data, double_long_unsigned, octet_string
from meterwright.exchange import invoke, read, read_octets, write
from meterwright.link import HdlcAddress, HdlcClient, HdlcClientSettings, HdlcServer
from meterwright.simulator import (
    BufferForm,
    ClockBehaviour,
    ManualClock,
    MemoryStorage,
    MeterSettings,
    ProfileBehaviour,
    ProfileColumn,
    SimulatedMeter,
    clock_column,
)
from meterwright.simulator.parts import image_machine
from meterwright.testing import StackPair

PROFILE: Final = "1.0.99.1.0.255"
START: Final = datetime(2026, 1, 1, tzinfo=UTC)
QUARTER: Final = timedelta(minutes=15)
CLOCK: Final = CaptureObject.of(8, "0.0.1.0.0.255", 2)
ENERGY: Final = CaptureObject.of(3, "1.0.1.8.0.255", 2)
NAME: Final = CaptureObject.of(1, "0.0.96.1.0.255", 2)
COLUMNS: Final = (CLOCK, ENERGY, NAME)

Given = tuple[datetime, int, bytes]
"""A row that the profile is given."""


class PairAccess(BlockingAccess):
    """Blocking access through a pair of stacks."""

    def __init__(self, pair: StackPair) -> None:
        self.pair = pair
        pair.associate()

    @property
    def association(self) -> AssociationIdentity:
        return self.pair.association.context.identity

    def read(
        self,
        attribute: AttributeDescriptor,
        selection: SelectiveAccess | None = None,
        *,
        timeout: float | None = None,  # noqa: ARG002 - pairs have a patience of their own
    ) -> Data:
        return self.pair.converse(read(attribute, selection))

    def read_octets(
        self,
        attribute: AttributeDescriptor,
        selection: SelectiveAccess | None = None,
        *,
        timeout: float | None = None,  # noqa: ARG002 - as above
    ) -> bytes:
        return self.pair.converse(read_octets(attribute, selection))

    def write(
        self,
        attribute: AttributeDescriptor,
        value: Data,
        *,
        timeout: float | None = None,  # noqa: ARG002 - as above
    ) -> None:
        self.pair.converse(write(attribute, value))

    def invoke(
        self,
        method: MethodDescriptor,
        parameters: Data | None = None,
        *,
        timeout: float | None = None,  # noqa: ARG002 - as above
    ) -> Data | None:
        return self.pair.converse(invoke(method, parameters))


class ProfileRig:
    """A meter whose profile holds these rows; its clock stands after the last of them."""

    def __init__(
        self,
        rows: Sequence[Given],
        *,
        sort_method: SortMethod = SortMethod.FIFO,
        form: BufferForm = BufferForm.ARRAY,
        profile_entries: int = 5000,
        hdlc: bool = False,
    ) -> None:
        self.clock = ManualClock(max((moment for moment, _, _ in rows), default=START))
        self.shown = ClockBehaviour(self.clock)
        self.rows = {moment: (energy, name) for moment, energy, name in rows}
        self.profile = ProfileBehaviour(
            PROFILE,
            [
                clock_column(self.shown),
                ProfileColumn(ENERGY, lambda moment: double_long_unsigned(self._row(moment)[0])),
                ProfileColumn(NAME, lambda moment: octet_string(self._row(moment)[1])),
            ],
            lambda after, until: [each for each in sorted(self.rows) if after < each <= until],
            clock=self.clock,
            shown=self.shown,
            reach=timedelta(days=365),
            capture_period=900,
            profile_entries=profile_entries,
            sort_method=sort_method,
            form=form,
        )
        machine = image_machine("MWS0000000001", MeterSettings(), MemoryStorage(), self.clock)
        self.meter = SimulatedMeter("MWS0000000001", [self.shown, self.profile], machine, clock=self.clock)
        settings = HdlcClientSettings(HdlcAddress.of_client(16), HdlcAddress.of_server(1))
        self.access = PairAccess(
            StackPair(
                self.meter,
                client_link=HdlcClient(settings) if hdlc else None,
                meter_link=HdlcServer() if hdlc else None,
            )
        )

    def _row(self, moment: datetime) -> tuple[int, bytes]:
        return self.rows.get(moment, (0, b""))
