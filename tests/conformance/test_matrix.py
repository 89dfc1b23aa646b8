"""Each service, over each link, under each security: the whole client against the whole meter, octets between them.

What both must have made of it is asserted on both sides; that neither could agree on a mistake is for the tests with golden octets,
captures and the peer, which stand beside their parts.
"""

from collections.abc import Iterator

import pytest
from tests.association.secured import Meter, apdus_passed, stack_pair
from tests.conformance.proofs import Link, Security, Service, proves
from tests.conformance.securities import SECURITIES, SEEN
from tests.conformance.services import SERVICES, Stage


def cells() -> Iterator[object]:
    """Every row with every column, on every link."""
    for service in SERVICES:
        for link in Link:
            for security in SECURITIES:
                marks = proves(service, link, security)
                yield pytest.param(service, link, security, id=f"{service}-{link}-{security}", marks=marks)


@pytest.mark.parametrize(("service", "link", "security"), tuple(cells()))
def test_client_and_meter_understand_each_other(service: Service, link: Link, security: Security) -> None:
    client, meter = SECURITIES[security]()
    host = Meter(meter, max_pdu=400)
    pair = stack_pair(client, host, hdlc=link is Link.HDLC, max_pdu=400)
    pair.associate()
    SERVICES[service](Stage(pair, host))
    pair.release()
    if security in SEEN:
        shown = {(each.from_client, each.octets[0]) for each in apdus_passed(pair)}
        assert {(True, SEEN[security]), (False, SEEN[security])} <= shown
    assert pair.meter.associated == 0
    assert pair.client.association.deadline is None
