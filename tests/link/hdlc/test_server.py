"""The meter's machine against a client that is a script."""

from dataclasses import replace

import pytest
from tests.link.hdlc.test_client import said

from meterwright.errors import LocalProtocolError, RemoteProtocolError, Timeout
from meterwright.link.hdlc import (
    CONTROLS,
    GENEROUS,
    Frame,
    FrameKind,
    FrameReject,
    HdlcAddress,
    HdlcFramer,
    HdlcParameters,
    HdlcServer,
    HdlcServerSettings,
    RejectReason,
    control,
)
from meterwright.link.machine import ApduReceived, LinkClosed, LinkEvent, LinkFailed, LinkOpened, Unsolicited

SERVER = HdlcAddress.of_server(1, 17)
SETTINGS = HdlcServerSettings(lower=17)
LLC = b"\xe6\xe6\x00"
REQUEST = bytes.fromhex("c001c100080000010000ff0200")
ANSWER = bytes.fromhex("c401c10009")


class Script:
    """A meter and the line it listens on."""

    def __init__(self, settings: HdlcServerSettings = SETTINGS, *, client: int = 16) -> None:
        self.server = HdlcServer(settings)
        self.now = 100.0
        self.source = HdlcAddress(client)
        self.destination = SERVER

    def sent(self) -> list[Frame]:
        return HdlcFramer().receive(self.server.data_to_send())

    def kinds(self) -> list[str]:
        return [said(frame) for frame in self.sent()]

    def hears(
        self,
        kind: FrameKind,
        information: bytes = b"",
        *,
        send: int = 0,
        receive: int = 0,
        poll: bool = True,
        segmented: bool = False,
    ) -> list[LinkEvent]:
        what = control(kind, poll=poll, send=send, receive=receive)
        frame = Frame(self.destination, self.source, what, information, segmented)
        return self.server.receive(frame.to_octets(), self.now)

    def opened(self, parameters: HdlcParameters | None = None) -> "Script":
        information = b"" if parameters is None else parameters.to_information()
        assert self.hears(FrameKind.SNRM, information)[-1] == LinkOpened(self.source.upper, 1)
        assert self.kinds() == ["UA"]
        return self

    def asked(self, number: int = 0) -> list[LinkEvent]:
        return self.hears(FrameKind.I, LLC + REQUEST, send=number % 8, receive=number % 8)


class TestConnecting:
    """SNRM, DISC, and what is said without a connection."""

    def test_the_ua_of_the_books(self) -> None:
        server = HdlcServer(HdlcServerSettings(unasked=HdlcParameters(239, 239), wide_sizes=True))
        assert server.receive(bytes.fromhex("7ea0070321930f017e"), 0.0) == [LinkOpened(16, 1)]
        assert server.data_to_send().hex() == (
            "7ea0202103737398818014050200ef060200ef070400000001080400000001074b7e"
        )
        assert server.parameters == HdlcParameters(239, 239)

    def test_the_dm_of_the_books(self) -> None:
        server = HdlcServer()
        assert server.receive(bytes.fromhex("7ea00703215303c77e"), 0.0) == []
        assert server.data_to_send().hex() == "7ea00721031f6be97e"

    def test_what_is_agreed_is_the_least_of_both(self) -> None:
        script = Script(replace(SETTINGS, parameters=HdlcParameters(500, 400, 2, 1)))
        script.hears(FrameKind.SNRM, HdlcParameters(300, 600, 7, 7).to_information())
        (ua,) = script.sent()
        assert HdlcParameters.from_information(ua.information) == HdlcParameters(500, 300, 2, 1)
        assert script.server.parameters == HdlcParameters(500, 300, 2, 1)

    def test_a_plain_snrm_means_the_defaults(self) -> None:
        assert Script().opened().server.parameters == HdlcParameters()

    @pytest.mark.parametrize("information", [b"\x00", b"\x81\x80\x03\x05\x01\x01"])
    def test_parameters_that_cannot_be_read_are_refused(self, information: bytes) -> None:
        script = Script()
        assert script.hears(FrameKind.SNRM, information) == []
        assert script.kinds() == ["DM"]
        assert script.opened().hears(FrameKind.SNRM, information) == [LinkClosed()]
        assert not script.server.is_open

    def test_a_second_snrm_begins_anew(self) -> None:
        script = Script().opened()
        script.asked()
        assert script.hears(FrameKind.SNRM) == [LinkClosed(), LinkOpened(16, 1)]
        assert script.kinds() == ["UA"]
        assert script.asked() == [ApduReceived(REQUEST, 16, 1)]

    def test_disc(self) -> None:
        script = Script().opened()
        assert script.hears(FrameKind.DISC) == [LinkClosed()]
        assert script.kinds() == ["UA"]
        assert script.hears(FrameKind.DISC) == []
        assert script.kinds() == ["DM"]
        assert script.server.deadline is None

    @pytest.mark.parametrize("kind", [FrameKind.I, FrameKind.RR, FrameKind.RNR])
    def test_without_a_connection_the_answer_is_dm(self, kind: FrameKind) -> None:
        script = Script()
        assert script.hears(kind) == []
        assert script.kinds() == ["DM"]
        assert script.hears(kind, poll=False) == []
        assert script.kinds() == []

    @pytest.mark.parametrize("octet", [each.octet for each in CONTROLS if each.kind is FrameKind.OTHER][::9])
    def test_other_frames_are_not_answered_without_a_connection(self, octet: int) -> None:
        script = Script()
        frame = Frame(SERVER, script.source, CONTROLS[octet])
        assert script.server.receive(frame.to_octets(), script.now) == []
        assert script.kinds() == []

    @pytest.mark.parametrize("client", [1, 16, 32, 48, 80, 102, 126])
    def test_any_client_may_connect(self, client: int) -> None:
        script = Script(client=client).opened()
        assert script.asked() == [ApduReceived(REQUEST, client, 1)]

    def test_several_clients_one_after_the_other(self) -> None:
        script = Script()
        for client in (16, 80, 16, 48):
            script.source = HdlcAddress(client)
            script.opened()
            assert script.asked() == [ApduReceived(REQUEST, client, 1)]
            script.server.send(ANSWER, script.now)
            assert [each.destination for each in script.sent()] == [HdlcAddress(client)]
            script.hears(FrameKind.DISC)
            script.sent()

    @pytest.mark.parametrize("kind", [FrameKind.SNRM, FrameKind.I, FrameKind.RR])
    def test_another_client_is_told_dm_meanwhile(self, kind: FrameKind) -> None:
        script = Script().opened()
        script.source = HdlcAddress(80)
        assert script.hears(kind) == []
        (dm,) = script.sent()
        assert (said(dm), dm.destination) == ("DM", HdlcAddress(80))
        script.source = HdlcAddress(16)
        assert script.asked() == [ApduReceived(REQUEST, 16, 1)]

    def test_another_client_may_disconnect_who_died(self) -> None:
        script = Script().opened()
        script.source = HdlcAddress(80)
        assert script.hears(FrameKind.DISC) == [LinkClosed()]
        assert script.kinds() == ["UA"]
        script.opened()

    def test_inactivity(self) -> None:
        script = Script(replace(SETTINGS, inactivity_timeout=30.0)).opened()
        assert script.server.deadline == 130.0
        script.now = 120.0
        script.hears(FrameKind.RR)
        assert script.server.deadline == 150.0
        assert script.server.tick(149.9) == []
        match script.server.tick(150.0):
            case [LinkFailed(Timeout() as error)]:
                assert "silent for 30 s" in error.what
            case events:
                raise AssertionError(events)
        assert not script.server.is_open
        script.sent()
        script.asked()
        assert script.kinds() == ["DM"]

    def test_inactivity_is_noticed_even_by_the_frame_that_comes_after_it(self) -> None:
        script = Script(replace(SETTINGS, inactivity_timeout=30.0)).opened()
        script.now += 31.0
        events = script.asked()
        assert [type(each) for each in events] == [LinkFailed]
        assert script.kinds() == ["DM"]

    def test_a_frame_that_stopped_in_its_middle_hides_none_that_comes_later(self) -> None:
        script = Script().opened()
        begun = Frame(SERVER, script.source, control(FrameKind.I), bytes(1000)).to_octets()[:50]
        assert script.server.receive(begun, script.now) == []
        script.now += SETTINGS.inter_octet_timeout + 0.1
        assert script.asked() == [ApduReceived(REQUEST, 16, 1)]

    def test_no_inactivity_time_out(self) -> None:
        assert Script(replace(SETTINGS, inactivity_timeout=None)).opened().server.deadline is None

    def test_a_meter_waits_and_drops(self) -> None:
        script = Script()
        assert script.kinds() == []
        script.opened()
        assert script.server.close(script.now) == [LinkClosed()]
        script.asked()
        assert script.kinds() == ["DM"]
        script.opened()
        script.server.lost()
        assert script.server.deadline is None
        script.asked()
        assert script.kinds() == ["DM"]


class TestAddresses:
    """Whom a meter answers."""

    @pytest.mark.parametrize(
        "address",
        [HdlcAddress(1), HdlcAddress(1, 17, 2), HdlcAddress(1, 17, 4), HdlcAddress(2, 17, 4)],
        ids=str,
    )
    def test_its_own_in_any_length(self, address: HdlcAddress) -> None:
        server = HdlcServer(HdlcServerSettings(frozenset({1, 2}), 17))
        snrm = Frame(address, HdlcAddress(16), control(FrameKind.SNRM))
        assert server.receive(snrm.to_octets(), 0.0) == [LinkOpened(16, address.upper)]
        (ua,) = HdlcFramer().receive(server.data_to_send())
        assert (ua.source, ua.destination) == (address, HdlcAddress(16))

    @pytest.mark.parametrize(
        "address",
        [
            HdlcAddress(2),
            HdlcAddress(1, 18, 2),
            HdlcAddress(2, 17, 4),
            HdlcAddress(0),
            HdlcAddress(0x7F),
            HdlcAddress(1, 0x7F, 2),
            HdlcAddress(0x3FFF, 0x3FFF, 4),
        ],
        ids=str,
    )
    @pytest.mark.parametrize("kind", [FrameKind.SNRM, FrameKind.I, FrameKind.RR, FrameKind.DISC])
    def test_silence_for_others_and_for_all(self, address: HdlcAddress, kind: FrameKind) -> None:
        for script in (Script(), Script().opened()):
            script.destination = address
            assert script.hears(kind, LLC + REQUEST if kind is FrameKind.I else b"") == []
            assert script.kinds() == []
            assert script.server.passed_over == 1

    @pytest.mark.parametrize("size", [1, 2, 4])
    def test_a_meter_set_to_one_length_is_silent_on_the_others(self, size: int) -> None:
        server = HdlcServer(HdlcServerSettings(lower=17, sizes=frozenset({size})))
        for address in (HdlcAddress(1), HdlcAddress(1, 17, 2), HdlcAddress(1, 17, 4)):
            server.receive(Frame(address, HdlcAddress(16), control(FrameKind.DISC)).to_octets(), 0.0)
            assert bool(server.data_to_send()) is (address.size == size)

    def test_a_meter_without_a_lower_address_answers_to_any(self) -> None:
        script = Script(HdlcServerSettings())
        script.destination = HdlcAddress(1, 1234, 4)
        script.opened()
        assert script.server.is_open

    @pytest.mark.parametrize(
        "address",
        [HdlcAddress(1, 17, 2), HdlcAddress(0x7F), HdlcAddress(1, 0x7F, 2), HdlcAddress(0x3FFF, 0x3FFF, 4)],
        ids=str,
    )
    def test_a_broadcast_is_heard_and_not_answered(self, address: HdlcAddress) -> None:
        script = Script()
        script.destination = address
        assert script.hears(FrameKind.UI, LLC + REQUEST, poll=False) == [
            Unsolicited(REQUEST, 16, address.upper)
        ]
        assert script.kinds() == []

    def test_a_broadcast_to_another_logical_device(self) -> None:
        script = Script()
        script.destination = HdlcAddress(2, 0x7F, 2)
        assert script.hears(FrameKind.UI, LLC + REQUEST, poll=False) == []

    def test_settings_that_make_no_sense(self) -> None:
        with pytest.raises(LocalProtocolError):
            HdlcServerSettings(sizes=frozenset({3}))
        with pytest.raises(LocalProtocolError):
            HdlcServerSettings(inactivity_timeout=0.0)


class TestAnswering:
    """Requests, answers, segments, turns."""

    def test_the_numbers_go_round(self) -> None:
        script = Script().opened()
        for number in range(20):
            assert script.asked(number) == [ApduReceived(REQUEST, 16, 1)]
            assert script.kinds() == []
            script.server.send(ANSWER, script.now)
            (frame,) = script.sent()
            assert said(frame) == f"I {number % 8} {(number + 1) % 8}"
            assert frame.information == b"\xe6\xe7\x00" + ANSWER

    def test_a_request_in_segments(self) -> None:
        script = Script().opened()
        assert script.hears(FrameKind.I, LLC + b"\x01", segmented=True) == []
        assert script.kinds() == ["RR 1"]
        assert script.hears(FrameKind.I, b"\x02", send=1) == [ApduReceived(b"\x01\x02", 16, 1)]

    def test_an_answer_in_segments(self) -> None:
        script = Script().opened()
        script.asked()
        script.server.send(bytes(200), script.now)
        assert script.kinds() == ["I 0 1+"]
        script.hears(FrameKind.RR, receive=1)
        assert script.kinds() == ["I 1 1"]

    def test_what_was_not_acknowledged_is_sent_again(self) -> None:
        script = Script().opened()
        script.asked()
        script.server.send(ANSWER, script.now)
        script.sent()
        for _ in range(3):
            script.hears(FrameKind.RR, receive=0)
            assert script.kinds() == ["I 0 1"]

    def test_a_doubled_request_is_served_once_and_answered_again(self) -> None:
        script = Script().opened()
        script.asked()
        script.server.send(ANSWER, script.now)
        assert script.kinds() == ["I 0 1"]
        assert script.asked() == []
        assert script.kinds() == ["I 0 1"]

    def test_a_doubled_request_while_the_first_is_being_worked_on(self) -> None:
        script = Script().opened()
        script.asked()
        assert script.asked() == []
        assert script.kinds() == ["RR 1"]
        script.server.send(ANSWER, script.now)
        assert script.kinds() == []
        script.hears(FrameKind.RR)
        assert script.kinds() == ["I 0 1"]

    def test_a_new_request_that_does_not_acknowledge_the_last_answer_gets_that_first(self) -> None:
        script = Script().opened()
        script.asked()
        script.server.send(ANSWER, script.now)
        script.sent()
        assert script.hears(FrameKind.I, LLC + REQUEST, send=1) == [ApduReceived(REQUEST, 16, 1)]
        assert script.kinds() == ["I 0 2"]
        script.server.send(ANSWER, script.now)
        assert script.kinds() == []
        script.hears(FrameKind.RR, receive=1)
        assert script.kinds() == ["I 1 2"]

    def test_a_slow_host_gives_the_turn_back(self) -> None:
        script = Script(replace(SETTINGS, answer_within=0.4)).opened()
        script.asked()
        assert script.server.deadline == 100.4
        script.now = 100.4
        assert script.server.tick(script.now) == []
        assert script.kinds() == ["RR 1"]
        script.server.send(ANSWER, script.now)
        assert script.kinds() == []
        script.hears(FrameKind.RR)
        assert script.kinds() == ["I 0 1"]

    def test_a_host_that_has_no_answer(self) -> None:
        script = Script().opened()
        script.asked()
        script.server.acknowledge(script.now)
        assert script.kinds() == ["RR 1"]
        script.server.acknowledge(script.now)
        assert script.kinds() == []

    def test_a_window_of_three(self) -> None:
        script = Script(replace(SETTINGS, parameters=HdlcParameters(128, 128, 7, 7))).opened(
            HdlcParameters(128, 128, 3, 3)
        )
        script.asked()
        script.server.send(bytes(500), script.now)
        assert script.kinds() == ["I 0 1 no P+", "I 1 1 no P+", "I 2 1+"]
        script.hears(FrameKind.RR, receive=1)
        assert script.kinds() == ["I 1 1 no P+", "I 2 1 no P+", "I 3 1"]

    def test_a_gap_in_the_client_s_window(self) -> None:
        settings = replace(SETTINGS, parameters=HdlcParameters(128, 128, 7, 7))
        script = Script(settings).opened(HdlcParameters(128, 128, 3, 3))
        script.hears(FrameKind.I, LLC + b"\x01", send=0, poll=False, segmented=True)
        assert script.hears(FrameKind.I, b"\x03", send=2) == []
        assert script.kinds() == ["RR 1"]

    def test_a_client_that_is_not_ready(self) -> None:
        script = Script().opened()
        script.asked()
        script.server.send(bytes(200), script.now)
        script.sent()
        script.hears(FrameKind.RNR, receive=1)
        assert script.kinds() == ["RR 1"]
        script.hears(FrameKind.RR, receive=1)
        assert script.kinds() == ["I 1 1"]

    def test_an_n_r_out_of_range_is_rejected(self) -> None:
        script = Script().opened()
        match script.hears(FrameKind.I, LLC + REQUEST, receive=3):
            case [LinkFailed(RemoteProtocolError())]:
                pass
            case events:
                raise AssertionError(events)
        (frmr,) = script.sent()
        assert said(frmr) == "FRMR"
        told = FrameReject(0x70, 0, 0, RejectReason.RECEIVE_NUMBER)
        assert FrameReject.from_octets(frmr.information) == told
        assert str(told) == "I (70): N(R) out of range"
        script.asked()
        assert script.kinds() == ["DM"]
        script.opened()

    def test_a_frame_that_is_not_used_is_rejected(self) -> None:
        script = Script().opened()
        rej = Frame(SERVER, script.source, CONTROLS[0x19])
        assert [type(each) for each in script.server.receive(rej.to_octets(), script.now)] == [LinkFailed]
        (frmr,) = script.sent()
        assert FrameReject.from_octets(frmr.information) == FrameReject(0x19, 0, 0, RejectReason.CONTROL)

    def test_a_request_that_grows_too_long_is_rejected(self) -> None:
        script = Script(replace(SETTINGS, longest_apdu=100)).opened()
        script.hears(FrameKind.I, LLC + bytes(90), segmented=True)
        assert [type(each) for each in script.hears(FrameKind.I, bytes(20), send=1)] == [LinkFailed]
        assert script.kinds() == ["RR 1", "FRMR"]

    @pytest.mark.parametrize("kind", [FrameKind.UA, FrameKind.DM, FrameKind.FRMR])
    def test_what_a_client_does_not_send_is_passed_over(self, kind: FrameKind) -> None:
        script = Script().opened()
        assert script.hears(kind) == []
        assert script.kinds() == []
        assert script.asked() == [ApduReceived(REQUEST, 16, 1)]

    def test_nothing_is_sent_without_a_connection(self) -> None:
        server = HdlcServer()
        with pytest.raises(LocalProtocolError):
            server.send(ANSWER, 0.0)
        with pytest.raises(LocalProtocolError, match="no client is connected"):
            server.send(ANSWER, 0.0, confirmed=False)
        with pytest.raises(LocalProtocolError):
            _ = server.parameters

    def test_a_push_within_the_connection_and_without(self) -> None:
        script = Script().opened()
        script.server.send(bytes(200), script.now, confirmed=False)
        assert script.kinds() == ["UI no P+", "UI no P"]
        Script().server.push(ANSWER, SERVER, HdlcAddress(103))
        fresh = HdlcServer()
        fresh.push(ANSWER, SERVER, HdlcAddress(103, 0x7F, 2))
        (ui,) = HdlcFramer().receive(fresh.data_to_send())
        assert (said(ui), ui.source, ui.destination) == ("UI no P", SERVER, HdlcAddress(103, 0x7F, 2))
        assert ui.information == b"\xe6\xe7\x00" + ANSWER

    def test_generous_is_the_most_there_is(self) -> None:
        script = Script().opened(GENEROUS)
        script.asked()
        script.server.send(bytes(2027), script.now)
        assert script.kinds() == ["I 0 1"]


def test_frmr_that_cannot_be_read() -> None:
    assert FrameReject.from_octets(b"\x10\x00") is None
    assert str(FrameReject(0x19, 0, 0, RejectReason(0))) == "19: no reason given"
    told = FrameReject(0x54, 3, 5, RejectReason.TOO_LONG, was_response=True)
    assert FrameReject.from_octets(told.to_octets()) == told
