"""Every way into a plain meter: who is let in with what, what the public client may do, and who is turned away."""

import dataclasses
from collections.abc import Callable

import pytest
from tests.security.books import layer
from tests.simulator.rig import image_block
from tests.simulator.secured import (
    AUTHENTICATIONS,
    IS15959_SECRET,
    POLICIES,
    SUITES,
    Bench,
    Makes,
    given,
    is15959,
    plain,
    run,
    usual_suite,
)
from tests.simulator.test_is15959 import DONE, INVISIBLE, NO_SUCH_SERVICE, PROFILES, everything, outcome

from meterwright.apdu import ActionRequestNormal, AttributeDescriptor, MethodDescriptor
from meterwright.association import CURRENT_ASSOCIATION
from meterwright.client import Client, ClientCredentials, Hdlc
from meterwright.companion import AssociationProfile
from meterwright.companion.is15959 import FIRMWARE_CLIENT
from meterwright.cosem import AssociationLnV1, Clock, DataObject, ImageTransfer
from meterwright.data import boolean, long
from meterwright.errors import AssociationRejected, MeterwrightError, UsageError
from meterwright.link import HdlcServer
from meterwright.security import (
    MECHANISMS,
    KeyChoice,
    Keys,
    Manner,
    Secret,
    SecurityViolation,
    SignaturePlace,
    SigningKey,
    Style,
    Violation,
    book_keys,
    book_pairs,
    curve_of,
)
from meterwright.simulator import AssociationPolicy, MeterSettings, SecuritySettings, largest_block
from meterwright.values import (
    AuthenticationMechanism,
    InvokeIdAndPriority,
    Obis,
    Role,
    SecurityPolicy,
    SecuritySuite,
)

CLOCK, NAME, COUNTER = "0.0.1.0.0.255", "0.0.42.0.0.255", "0.0.43.1.0.255"
IMAGE = Obis.parse("0.0.44.0.0.255")
ENABLED = AttributeDescriptor(18, IMAGE, 5)
SHIFT = MethodDescriptor(8, Obis.parse(CLOCK), 6)
HLS = AuthenticationMechanism.HIGH
GMAC = AuthenticationMechanism.HIGH_GMAC
ECDSA = AuthenticationMechanism.HIGH_ECDSA
BOTH = SecurityPolicy.AUTHENTICATED_ENCRYPTED

EVERY_WAY = [
    pytest.param(each, policy, suite, id=f"{each.label}-{policy.label}-{int(suite)}")
    for each in AUTHENTICATIONS
    for policy in POLICIES
    for suite in SUITES
    if (each is not AuthenticationMechanism.LOWEST or policy) and suite >= usual_suite(each)
]


async def may_do_all(bench: Bench, client: Client) -> None:
    for class_id, _, obis in everything(bench):
        assert await outcome(client.read(AttributeDescriptor(class_id, obis, 2))) == DONE
    assert await outcome(client.write(ENABLED, boolean(False))) == DONE
    assert await ImageTransfer(client).image_transfer_enabled.get() is False
    assert await outcome(client.invoke(SHIFT, long(10))) == DONE


async def reads_three_things(bench: Bench, client: Client) -> None:
    elements = await AssociationLnV1(client).object_list.get()
    names = {str(each.logical_name) for each in elements}
    assert names == {CLOCK, NAME, COUNTER, str(CURRENT_ASSOCIATION)}
    for class_id, _, obis in everything(bench):
        answer = await outcome(client.read(AttributeDescriptor(class_id, obis, 2)))
        assert answer == (DONE if str(obis) in names else INVISIBLE)
    assert await outcome(client.write(ENABLED, boolean(False))) == NO_SUCH_SERVICE
    assert await outcome(client.invoke(SHIFT, long(10))) == NO_SUCH_SERVICE


@pytest.mark.parametrize(("authentication", "policy", "suite"), EVERY_WAY)
def test_client_1_may_do_all_and_the_public_client_reads_three_things(
    authentication: AuthenticationMechanism, policy: SecurityPolicy, suite: SecuritySuite
) -> None:
    async def scenario(bench: Bench) -> None:
        credentials = given(authentication, policy, keys=book_keys(suite))
        async with bench.client(1, credentials) as client:
            await may_do_all(bench, client)
            mechanism = await AssociationLnV1(client).authentication_mechanism_name.get()
            assert mechanism.value == bytes((*b"\x60\x85\x74\x05\x08\x02", authentication))
        async with bench.client(16) as client:
            await reads_three_things(bench, client)
        assert bench.meter.machine.record.failed_logins == 0

    run(Bench(plain(authentication, policy, suite)), scenario)


@pytest.mark.parametrize("suite", [SecuritySuite.SUITE_1, SecuritySuite.SUITE_2], ids=lambda each: each.label)
@pytest.mark.parametrize(
    "manner",
    [
        Manner(key=KeyChoice.GLOBAL),
        Manner(key=KeyChoice.ONE_PASS),
        Manner(key=KeyChoice.STATIC),
        Manner(Style.GENERAL, signs=SignaturePlace.OUTSIDE),
        Manner(key=KeyChoice.GLOBAL, signs=SignaturePlace.INSIDE),
    ],
    ids=["global", "one-pass", "static", "signed-outside", "signed-inside"],
)
def test_a_client_may_cipher_generally_and_sign(manner: Manner, suite: SecuritySuite) -> None:
    async def scenario(bench: Bench) -> None:
        credentials = dataclasses.replace(given(ECDSA, BOTH, keys=book_keys(suite)), manner=manner)
        async with bench.client(1, credentials) as client:
            await may_do_all(bench, client)

    run(Bench(plain(ECDSA, BOTH, suite)), scenario)


def test_an_open_meter_has_one_association_with_all_rights() -> None:
    async def scenario(bench: Bench) -> None:
        async with bench.client(16) as client:
            await may_do_all(bench, client)
        with pytest.raises(AssociationRejected):
            await bench.client(1).connect()

    run(Bench(plain(AuthenticationMechanism.LOWEST, SecurityPolicy.NONE)), scenario)


@pytest.mark.parametrize("authentication", AUTHENTICATIONS[1:], ids=lambda each: each.label)
def test_it_goes_over_hdlc_too(authentication: AuthenticationMechanism) -> None:
    async def scenario(bench: Bench) -> None:
        for client_sap, credentials in ((1, given(authentication, BOTH)), (16, None)):
            async with over_hdlc(bench.client(client_sap, credentials)) as client:
                assert (await DataObject(client, NAME).value.get()).value == b"MWS0000000001"
                assert len(await AssociationLnV1(client).object_list.get()) >= 4

    run(Bench(plain(authentication), link=HdlcServer), scenario)


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda each: str(each.client_sap))
def test_is15959_goes_over_hdlc_too(profile: AssociationProfile) -> None:
    async def scenario(bench: Bench) -> None:
        async with over_hdlc(bench.known(profile)) as client:
            assert (await Clock(client).time.get()).year == 2026

    run(Bench(is15959(), link=HdlcServer), scenario)


def over_hdlc(client: Client) -> Client:
    """The same client over another link."""
    return Client(client._connector, dataclasses.replace(client.settings, carrier=Hdlc(lower=17)))


OTHER_KEY = Secret(bytes(range(0x40, 0x50)))
Spoils = Callable[[Keys], Keys]


def another_encryption_key(keys: Keys) -> Keys:
    return dataclasses.replace(keys, global_unicast=OTHER_KEY)


def another_authentication_key(keys: Keys) -> Keys:
    return dataclasses.replace(keys, authentication=OTHER_KEY)


WRONG_KEYS = [
    pytest.param(another_encryption_key, id="encryption"),
    pytest.param(another_authentication_key, id="authentication"),
]


BY_SECRET = [each for each in AUTHENTICATIONS[1:] if each not in MECHANISMS or MECHANISMS[each].needs_secret]
"""Those that prove themselves by keys are turned away below."""


class TestTurnedAway:
    @pytest.mark.parametrize("authentication", BY_SECRET, ids=lambda each: each.label)
    @pytest.mark.parametrize("policy", [SecurityPolicy.NONE, BOTH], ids=lambda each: each.label)
    def test_a_wrong_secret(self, authentication: AuthenticationMechanism, policy: SecurityPolicy) -> None:
        self.is_refused(
            plain(authentication, policy), given(authentication, policy, secret=Secret(b"12345679"))
        )

    @pytest.mark.parametrize("authentication", [*AUTHENTICATIONS], ids=lambda each: each.label)
    @pytest.mark.parametrize("policy", POLICIES[1:], ids=lambda each: each.label)
    @pytest.mark.parametrize("spoil", WRONG_KEYS)
    def test_a_wrong_key(
        self, authentication: AuthenticationMechanism, policy: SecurityPolicy, spoil: Spoils
    ) -> None:
        wrong = spoil(book_keys(usual_suite(authentication)))
        self.is_refused(plain(authentication, policy), given(authentication, policy, keys=wrong))

    @pytest.mark.parametrize("spoil", WRONG_KEYS)
    def test_a_wrong_key_where_nothing_but_the_login_needs_it(self, spoil: Spoils) -> None:
        wrong = spoil(book_keys())
        self.is_refused(plain(GMAC, SecurityPolicy.NONE), given(GMAC, SecurityPolicy.NONE, keys=wrong))

    @pytest.mark.parametrize("policy", [SecurityPolicy.NONE, BOTH], ids=lambda each: each.label)
    @pytest.mark.parametrize("suite", [SecuritySuite.SUITE_1, SecuritySuite.SUITE_2])
    def test_a_wrong_signing_key(self, suite: SecuritySuite, policy: SecurityPolicy) -> None:
        credentials = given(ECDSA, policy, keys=book_keys(suite))
        other = SigningKey.from_random(curve_of(suite), bytes(64))
        assert credentials.pairs is not None
        wrong = dataclasses.replace(credentials.pairs, signing=other)
        self.is_refused(plain(ECDSA, policy, suite), dataclasses.replace(credentials, pairs=wrong))

    @pytest.mark.parametrize("policy", [SecurityPolicy.NONE, BOTH], ids=lambda each: each.label)
    @pytest.mark.parametrize("suite", [SecuritySuite.SUITE_1, SecuritySuite.SUITE_2])
    def test_a_meter_that_signs_with_another_key_is_not_believed(
        self, suite: SecuritySuite, policy: SecurityPolicy
    ) -> None:
        """It is told as what it is, and nothing is asked of such a meter."""

        async def scenario(bench: Bench) -> None:
            credentials = given(ECDSA, policy, keys=book_keys(suite), counter_object=None)
            assert credentials.pairs is not None
            wrong = dataclasses.replace(
                credentials.pairs, verifying=SigningKey.from_random(curve_of(suite), bytes(64)).public
            )
            with pytest.raises(SecurityViolation, match="meter's signature is not one of the key") as caught:
                await bench.client(1, dataclasses.replace(credentials, pairs=wrong)).connect()
            assert caught.value.violation is Violation.PROOF
            assert "verifying key in our settings" in caught.value.hint

        run(Bench(plain(ECDSA, policy, suite)), scenario)

    @pytest.mark.parametrize("suite", [SecuritySuite.SUITE_1, SecuritySuite.SUITE_2])
    def test_another_suite(self, suite: SecuritySuite) -> None:
        self.is_refused(plain(GMAC, BOTH, suite), given(GMAC, BOTH, keys=book_keys()))

    @pytest.mark.parametrize("asked", AUTHENTICATIONS, ids=lambda each: each.label)
    def test_another_authentication(self, asked: AuthenticationMechanism) -> None:
        if asked is not HLS:
            self.is_refused(plain(HLS), given(asked))

    @pytest.mark.parametrize("policy", POLICIES, ids=lambda each: each.label)
    @pytest.mark.parametrize("asked", POLICIES, ids=lambda each: each.label)
    def test_less_protection_than_the_meter_wants(
        self, policy: SecurityPolicy, asked: SecurityPolicy
    ) -> None:
        async def scenario(bench: Bench) -> None:
            credentials = given(HLS, asked, counter_object=None)
            with pytest.raises(MeterwrightError):
                async with bench.client(1, credentials) as client:
                    await DataObject(client, NAME).value.get()
            assert bench.meter.machine.record.method_calls.image_transfer_initiate == 0

        if int(policy) & ~int(asked):
            run(Bench(plain(HLS, policy)), scenario)

    def is_refused(self, make: Makes, credentials: ClientCredentials) -> None:
        async def scenario(bench: Bench) -> None:
            with pytest.raises(MeterwrightError):
                await bench.client(1, dataclasses.replace(credentials, counter_object=None)).connect()
            assert bench.meter.machine.record.failed_logins == 1

        run(Bench(make), scenario)


class TestSettings:
    def test_an_authentication_that_is_not_known_makes_no_meter(self) -> None:
        with pytest.raises(UsageError, match="no authentication that simulated meters know"):
            SecuritySettings(authentication=AuthenticationMechanism(99))

    def test_a_suite_without_signatures_makes_no_meter_that_signs(self) -> None:
        with pytest.raises(UsageError, match="security suite 0 has no signatures"):
            SecuritySettings(authentication=ECDSA)

    @pytest.mark.parametrize("policy", [SecurityPolicy.NONE, BOTH])
    @pytest.mark.parametrize(
        "pdu", [64, 127, 128, 129, 145, 146, 150, 255, 256, 257, 275, 276, 280, 1024, 65535]
    )
    def test_the_longest_block_just_fits(self, policy: SecurityPolicy, pdu: int) -> None:
        most = largest_block(pdu, sealed=bool(policy))
        assert request_size(most, policy) <= pdu < request_size(most + 1, policy)
        security = SecuritySettings(policy=policy)
        MeterSettings(image_block_size=most, max_receive_pdu_size=pdu, security=security)
        with pytest.raises(UsageError, match=f"{most + 1} octets does not fit the meter's PDU"):
            MeterSettings(image_block_size=most + 1, max_receive_pdu_size=pdu, security=security)

    def test_no_repr_shows_a_secret(self) -> None:
        async def scenario(bench: Bench) -> None:
            client = bench.known(FIRMWARE_CLIENT)
            parts = (
                SecuritySettings(authentication=GMAC, keys=book_keys()),
                SecuritySettings(authentication=ECDSA, suite=SecuritySuite.SUITE_1),
                book_pairs(SecuritySuite.SUITE_1, Role.SERVER),
                given(ECDSA),
                MeterSettings(security=SecuritySettings(authentication=GMAC)),
                AssociationPolicy(secret=IS15959_SECRET),
                bench.meter,
                bench.meter.associations,
                bench.meter._security._identity,
                client.settings,
            )
            told = repr(parts)
            signing = book_pairs(SecuritySuite.SUITE_1, Role.SERVER).signing
            assert signing is not None
            for secret in (
                *book_keys().by_name().values(),
                IS15959_SECRET,
                Secret(b"12345678"),
                signing.scalar,
            ):
                assert repr(secret.reveal())[2:-1] not in told
                assert secret.reveal().hex() not in told.lower()

        run(Bench(is15959()), scenario)


def request_size(block: int, policy: SecurityPolicy) -> int:
    """How many octets a request with a block has on its way."""
    request = ActionRequestNormal(
        InvokeIdAndPriority(1), MethodDescriptor(18, IMAGE, 2), image_block(1, bytes(block))
    ).to_octets()
    return layer(Role.CLIENT, policy=policy).outgoing_size(len(request), request[0])
