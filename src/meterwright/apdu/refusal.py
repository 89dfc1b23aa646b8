"""How a request is refused as a whole: ExceptionResponse and ConfirmedServiceError. Neither carries an invoke id."""

from typing import Annotated

from meterwright.apdu.registry import APDUS
from meterwright.codec import Apdu, Codec, Enumerated, Unsigned, apdu
from meterwright.values import ConfirmedServiceErrorService, ExceptionService, ExceptionState

__all__ = ["ConfirmedServiceError", "ExceptionResponse"]


class _TrailingCounter:
    """The invocation counter after invocation-counter-error; older meters send none."""

    def codec(self) -> Codec[int | None]:
        def write(value: int | None) -> bytes:
            return b"" if value is None else value.to_bytes(4, "big")

        def decode(octets: bytes, position: int) -> tuple[int | None, int]:
            end = position + 4
            if len(octets) < end:
                return None, position
            return int.from_bytes(octets[position:end], "big"), end

        return Codec(write, decode)


@apdu(0xD8, registry=APDUS)
class ExceptionResponse(Apdu):
    """The request was not served; `invocation_counter` comes with invocation-counter-error only."""

    state_error: Annotated[ExceptionState, Enumerated(ExceptionState)]
    service_error: Annotated[ExceptionService, Enumerated(ExceptionService)]
    invocation_counter: Annotated[int | None, _TrailingCounter()]


@apdu(0x0E, registry=APDUS)
class ConfirmedServiceError(Apdu):
    """A service failed as a whole: which service, the class of the error, and the code within that class."""

    service: Annotated[ConfirmedServiceErrorService, Enumerated(ConfirmedServiceErrorService)]
    error_class: Annotated[int, Unsigned(1)]
    code: Annotated[int, Unsigned(1)]
