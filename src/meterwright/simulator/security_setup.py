"""Security setup (class 64, version 0) of a simulated meter: what protects the association, to be read (Blue Book 4.4.7).

Policy, suite and the meter's own title are as the meter was made. The client's title is what its AARQ told, and empty before.
Neither method is there, and a call of one is read-write-denied: such a meter keeps its policy and its keys.
"""

from collections.abc import Callable

from meterwright.cosem import SecuritySetupV0
from meterwright.simulator.behaviour import Behaviour, Stored, reads
from meterwright.values import Obis, SecurityPolicy, SecuritySuite

__all__ = ["SecuritySetupBehaviour"]


def _unknown() -> bytes:
    return b""


class SecuritySetupBehaviour(Behaviour, implements=SecuritySetupV0):
    """What protects one association."""

    def __init__(
        self,
        logical_name: Obis | str,
        *,
        server_system_title: bytes,
        policy: SecurityPolicy = SecurityPolicy.NONE,
        suite: SecuritySuite = SecuritySuite.SUITE_0,
        client_system_title: Callable[[], bytes] = _unknown,
    ) -> None:
        if not policy.is_known:
            raise ValueError(f"a policy of {int(policy)} is one of version 1")
        if len(server_system_title) != 8:
            raise ValueError(f"a system title has 8 octets, not {len(server_system_title)}")
        super().__init__(
            logical_name,
            [
                Stored(SecuritySetupV0.security_policy, policy),
                Stored(SecuritySetupV0.security_suite, suite),
                Stored(SecuritySetupV0.server_system_title, server_system_title),
            ],
        )
        self._client_system_title = client_system_title

    @reads(SecuritySetupV0.client_system_title)
    def client_system_title(self) -> bytes:
        return self._client_system_title()
