"""Faults put before a simulated meter, for the tests of updates: each one does one thing wrong."""

from collections.abc import Callable
from dataclasses import dataclass

from meterwright.apdu import AttributeDescriptor, MethodDescriptor, SelectiveAccess
from meterwright.association import AssociationRequested, Grant
from meterwright.data import Data
from meterwright.server import ActionOutcome, Caller, Middleware, ObjectHost, Partners
from meterwright.values import AcseServiceUserDiagnostic, ActionResult, DataAccessResult

INITIATE, BLOCK_TRANSFER, VERIFY, ACTIVATE = 1, 2, 3, 4


class Faulty(Middleware):
    """Answers what a table says instead of what the meter says, so many times."""

    def __init__(
        self,
        inner: ObjectHost,
        *,
        methods: dict[int, ActionResult] | None = None,
        reads: dict[int, DataAccessResult | Data] | None = None,
        writes: dict[int, DataAccessResult] | None = None,
        aare: AcseServiceUserDiagnostic | None = None,
        times: int = 1_000_000,
        carried_out: bool = False,
        after: int = 0,
    ) -> None:
        """`carried_out`: the meter does what was asked and then answers wrongly. `after`: so many calls go well first."""
        super().__init__(inner)
        self._methods = methods or {}
        self._reads = reads or {}
        self._writes = writes or {}
        self._aare = aare
        self._left = times
        self._after = after
        self._carried_out = carried_out

    def _strikes(self) -> bool:
        if self._after:
            self._after -= 1
            return False
        self._left -= 1
        return self._left >= 0

    def associate(self, partners: Partners, asked: AssociationRequested) -> Grant | AcseServiceUserDiagnostic:
        if self._aare is not None and self._strikes():
            return self._aare
        return super().associate(partners, asked)

    def get(
        self, caller: Caller, attribute: AttributeDescriptor, selection: SelectiveAccess | None
    ) -> Data | DataAccessResult:
        if attribute.class_id == 18 and attribute.attribute_id in self._reads and self._strikes():
            return self._reads[attribute.attribute_id]
        return super().get(caller, attribute, selection)

    def set(
        self, caller: Caller, attribute: AttributeDescriptor, value: Data, selection: SelectiveAccess | None
    ) -> DataAccessResult:
        if attribute.class_id == 18 and attribute.attribute_id in self._writes and self._strikes():
            return self._writes[attribute.attribute_id]
        return super().set(caller, attribute, value, selection)

    def invoke(self, caller: Caller, method: MethodDescriptor, parameters: Data | None) -> ActionOutcome:
        if method.class_id == 18 and method.method_id in self._methods and self._strikes():
            if self._carried_out:
                super().invoke(caller, method, parameters)
            return ActionOutcome(self._methods[method.method_id])
        return super().invoke(caller, method, parameters)


def faulty(
    *,
    methods: dict[int, ActionResult] | None = None,
    reads: dict[int, DataAccessResult | Data] | None = None,
    writes: dict[int, DataAccessResult] | None = None,
    aare: AcseServiceUserDiagnostic | None = None,
    times: int = 1_000_000,
    carried_out: bool = False,
    after: int = 0,
) -> Callable[[ObjectHost], ObjectHost]:
    """A fault to put `through` a meter."""
    return lambda host: Faulty(
        host,
        methods=methods,
        reads=reads,
        writes=writes,
        aare=aare,
        times=times,
        carried_out=carried_out,
        after=after,
    )


@dataclass
class Drop:
    """Cuts the line when the client sends what holds `marks`, once or always; before it arrives or after."""

    marks: bytes
    always: bool = False
    arrives: bool = False
    cut: Callable[[], None] = lambda: None
    struck: int = 0

    def __call__(self, from_client: bool, message: bytes) -> list[bytes]:
        if not from_client or self.marks not in message or (self.struck and not self.always):
            return [message]
        self.struck += 1
        self.cut()
        return [message] if self.arrives else []
