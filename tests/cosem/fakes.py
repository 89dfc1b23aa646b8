"""Access to a meter that is a dictionary: what is read, and what was written and invoked, in one association."""

from meterwright.apdu import AttributeDescriptor, MethodDescriptor, SelectiveAccess
from meterwright.cosem import AssociationIdentity, AsyncAccess, BlockingAccess
from meterwright.data import Data, double_long_unsigned

__all__ = ["BLOCK_SIZE", "AsyncFake", "BlockingFake"]

BLOCK_SIZE = "18/0.0.44.0.0.255/2"


class _Fake:
    """What both fakes share."""

    def __init__(self, values: dict[str, Data] | None = None) -> None:
        self.values = {BLOCK_SIZE: double_long_unsigned(128)} if values is None else values
        self.identity = AssociationIdentity("1")
        self.read_with: list[SelectiveAccess | None] = []
        self.written: list[tuple[str, Data]] = []
        self.invoked: list[tuple[str, Data | None]] = []
        self.timeouts: list[float | None] = []
        self.returned: Data | None = None

    @property
    def association(self) -> AssociationIdentity:
        return self.identity

    def associate_anew(self) -> None:
        """As after a lost link."""
        self.identity = AssociationIdentity("2")


class AsyncFake(_Fake, AsyncAccess):
    """Awaited."""

    async def read(
        self,
        attribute: AttributeDescriptor,
        selection: SelectiveAccess | None = None,
        *,
        timeout: float | None = None,
    ) -> Data:
        self.read_with.append(selection)
        self.timeouts.append(timeout)
        return self.values[str(attribute)]

    async def write(
        self, attribute: AttributeDescriptor, value: Data, *, timeout: float | None = None
    ) -> None:
        self.written.append((str(attribute), value))
        self.timeouts.append(timeout)

    async def invoke(
        self, method: MethodDescriptor, parameters: Data | None = None, *, timeout: float | None = None
    ) -> Data | None:
        self.invoked.append((str(method), parameters))
        self.timeouts.append(timeout)
        return self.returned


class BlockingFake(_Fake, BlockingAccess):
    """Blocking."""

    def read(
        self,
        attribute: AttributeDescriptor,
        selection: SelectiveAccess | None = None,
        *,
        timeout: float | None = None,
    ) -> Data:
        self.read_with.append(selection)
        self.timeouts.append(timeout)
        return self.values[str(attribute)]

    def write(self, attribute: AttributeDescriptor, value: Data, *, timeout: float | None = None) -> None:
        self.written.append((str(attribute), value))
        self.timeouts.append(timeout)

    def invoke(
        self, method: MethodDescriptor, parameters: Data | None = None, *, timeout: float | None = None
    ) -> Data | None:
        self.invoked.append((str(method), parameters))
        self.timeouts.append(timeout)
        return self.returned
