"""The client machine against a meter that is a script: what goes out, what comes of it, and when it gives up."""

from dataclasses import replace

import pytest

from meterwright.errors import (
    Blame,
    ConnectionLost,
    LinkError,
    LocalProtocolError,
    MeterwrightError,
    RemoteProtocolError,
    Timeout,
)
from meterwright.link.hdlc import (
    Frame,
    FrameKind,
    FrameReject,
    HdlcAddress,
    HdlcClient,
    HdlcClientSettings,
    HdlcFramer,
    HdlcParameters,
    RejectReason,
    State,
    control,
)
from meterwright.link.machine import ApduReceived, LinkClosed, LinkEvent, LinkFailed, LinkOpened, Unsolicited

CLIENT = HdlcAddress.of_client(16)
SERVER = HdlcAddress.of_server(1, 17)
SETTINGS = HdlcClientSettings(
    CLIENT,
    SERVER,
    proposal=None,
    response_timeout=2.0,
    poll_interval=0.5,
    patience=20.0,
    inter_octet_timeout=0.2,
)
LLC = b"\xe6\xe7\x00"
REQUEST = bytes.fromhex("c001c100080000010000ff0200")
ANSWER = bytes.fromhex("c401c10009")


class Script:
    """A client and the line it speaks on, one moment after the other."""

    def __init__(self, settings: HdlcClientSettings = SETTINGS) -> None:
        self.client = HdlcClient(settings)
        self.now = 100.0
        self.server = settings.server
        self.address = settings.client

    def sent(self) -> list[Frame]:
        return HdlcFramer().receive(self.client.data_to_send())

    def kinds(self) -> list[str]:
        """What was sent, in the words of the books: I 0 1 is N(S) 0, N(R) 1."""
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
        frame = Frame(self.address, self.server, what, information, segmented)
        return self.client.receive(frame.to_octets(), self.now)

    def waits(self) -> list[LinkEvent]:
        """Until the deadline."""
        assert self.client.deadline is not None
        assert self.client.deadline >= self.now
        self.now = self.client.deadline
        return self.client.tick(self.now)

    def opened(self, parameters: HdlcParameters | None = None) -> "Script":
        assert self.client.open(self.now) == []
        assert self.kinds() == ["SNRM"]
        information = b"" if parameters is None else parameters.to_information()
        assert self.hears(FrameKind.UA, information) == [LinkOpened()]
        assert self.client.is_open
        return self

    def asked(self, request: bytes = REQUEST) -> "Script":
        self.client.send(request, self.now)
        return self


def said(frame: Frame) -> str:
    what = frame.control
    numbers = {
        FrameKind.I: f" {what.send_number} {what.receive_number}",
        FrameKind.RR: f" {what.receive_number}",
        FrameKind.RNR: f" {what.receive_number}",
    }
    return (
        what.kind.value
        + numbers.get(what.kind, "")
        + ("" if what.poll else " no P")
        + ("+" if frame.segmented else "")
    )


def failure(events: list[LinkEvent]) -> MeterwrightError:
    match events:
        case [*_, LinkFailed(error)]:
            assert error.where.layer == "hdlc"
            assert error.hint
            return error
        case _:
            raise AssertionError(events)


class TestOpening:
    """SNRM and what may answer it."""

    def test_a_plain_snrm_octet_for_octet(self) -> None:
        client = HdlcClient(HdlcClientSettings(CLIENT, HdlcAddress.of_server(1), proposal=None))
        client.open(0.0)
        assert client.data_to_send().hex() == "7ea0070321930f017e"
        assert client.data_to_send() == b""
        assert client.state is State.CONNECTING

    def test_what_is_proposed_and_what_is_agreed(self) -> None:
        script = Script(replace(SETTINGS, proposal=HdlcParameters(512, 256, 3, 1)))
        script.client.open(script.now)
        (snrm,) = script.sent()
        assert HdlcParameters.from_information(snrm.information) == HdlcParameters(512, 256, 3, 1)
        script.hears(FrameKind.UA, HdlcParameters(2030, 300, 7, 2).to_information())
        assert script.client.parameters == HdlcParameters(300, 256, 2, 1)

    def test_a_ua_without_parameters_means_the_defaults(self) -> None:
        assert (
            Script(replace(SETTINGS, proposal=HdlcParameters(512, 512))).opened().client.parameters
            == HdlcParameters()
        )

    def test_after_a_plain_snrm_what_the_meter_announces_holds(self) -> None:
        script = Script().opened(HdlcParameters(239, 240))
        assert script.client.parameters == HdlcParameters(240, 239)

    def test_a_meter_that_means_whole_frames(self) -> None:
        script = Script(replace(SETTINGS, sizes_are_frames=True)).opened(HdlcParameters(128, 128))
        script.asked(bytes(300))
        octets = script.client.data_to_send()
        assert len(octets) == 128

    def test_an_answer_to_another_length_of_address_is_an_answer(self) -> None:
        script = Script(replace(SETTINGS, server=HdlcAddress.of_server(1)))
        script.server = HdlcAddress.of_server(1, 17)
        script.opened()
        assert script.client.is_open

    def test_parameters_that_cannot_be_read_end_it(self) -> None:
        script = Script()
        script.client.open(script.now)
        error = failure(script.hears(FrameKind.UA, b"\x81\x80\x03\x05\x01\x00"))
        assert isinstance(error, RemoteProtocolError)
        assert script.client.deadline is None

    def test_silence(self) -> None:
        script = Script()
        script.client.open(script.now)
        for _ in range(3):
            assert script.waits() == []
            assert script.kinds()[-1] == "SNRM"
        error = failure(script.waits())
        assert isinstance(error, Timeout)
        assert isinstance(error, TimeoutError)
        assert error.blame is Blame.LINE
        assert "1/17 (2 octets) did not answer SNRM, sent 4 times" in error.what
        assert script.now == 108.0
        for word in ("address", "length", "baud rate", "busy with another client"):
            assert word in error.hint
        assert script.kinds() == []
        assert script.client.deadline is None
        assert not script.client.is_open

    def test_noise_points_at_the_baud_rate(self) -> None:
        script = Script(replace(SETTINGS, retries=0))
        script.client.open(script.now)
        script.client.receive(b"\x00\xf8\x80\x55" * 5, script.now)
        error = failure(script.waits())
        assert error.hint.startswith("20 octets came that are no HDLC: wrong baud rate")

    def test_frames_of_others_point_at_the_addresses(self) -> None:
        script = Script(replace(SETTINGS, retries=0))
        script.client.open(script.now)
        script.server = HdlcAddress.of_server(1, 18)
        assert script.hears(FrameKind.UA) == []
        error = failure(script.waits())
        assert "server 1/18 (2 octets) for client 16 (1 octet)" in error.hint
        assert script.client.passed_over == 1

    def test_an_echo_is_recognised(self) -> None:
        script = Script(replace(SETTINGS, retries=0))
        script.client.open(script.now)
        assert script.client.receive(script.client.data_to_send(), script.now) == []
        assert "turn the echo filter on" in failure(script.waits()).hint

    def test_an_echo_is_filtered(self) -> None:
        same = HdlcAddress.of_client(1)  # the hard case: both have the same address
        script = Script(replace(SETTINGS, client=same, server=HdlcAddress.of_server(1), echo=True))
        client = script.client
        client.open(script.now)
        client.receive(client.data_to_send(), script.now)
        assert script.hears(FrameKind.UA) == [LinkOpened()]
        client.send(REQUEST, script.now)
        assert client.receive(client.data_to_send(), script.now) == []
        assert script.hears(FrameKind.I, LLC + ANSWER, receive=1) == [ApduReceived(ANSWER, 1, 1)]

    def test_dm_is_asked_again_once_then_refused(self) -> None:
        script = Script()
        script.client.open(script.now)
        assert script.hears(FrameKind.DM) == []
        assert script.kinds() == ["SNRM", "SNRM"]
        error = failure(script.hears(FrameKind.DM))
        assert type(error) is LinkError
        assert "refused" in error.what
        assert "one client at a time" in error.hint

    def test_a_meter_that_takes_the_second_snrm(self) -> None:
        script = Script()
        script.client.open(script.now)
        script.hears(FrameKind.DM)
        assert script.hears(FrameKind.UA) == [LinkOpened()]

    def test_frmr(self) -> None:
        script = Script()
        script.client.open(script.now)
        told = FrameReject(0x93, 0, 0, RejectReason.INFORMATION)
        error = failure(script.hears(FrameKind.FRMR, told.to_octets()))
        assert "FRMR, SNRM (93): information not allowed in it" in error.what

    @pytest.mark.parametrize("answer", [FrameKind.UA, FrameKind.DM])
    def test_disconnect_first(self, answer: FrameKind) -> None:
        script = Script(replace(SETTINGS, disconnect_first=True))
        script.client.open(script.now)
        assert script.kinds() == ["DISC"]
        assert script.hears(answer) == []
        assert script.kinds() == ["SNRM"]
        assert script.hears(FrameKind.UA) == [LinkOpened()]

    def test_disconnect_first_where_nobody_answers_the_disc(self) -> None:
        script = Script(replace(SETTINGS, disconnect_first=True))
        script.client.open(script.now)
        assert script.waits() == []
        assert script.kinds() == ["DISC", "SNRM"]
        assert script.hears(FrameKind.UA) == [LinkOpened()]

    def test_all_stations_cannot_be_connected_to(self) -> None:
        client = HdlcClient(replace(SETTINGS, server=HdlcAddress(0x7F, 0x7F, 2)))
        with pytest.raises(LocalProtocolError, match="all stations"):
            client.open(0.0)

    def test_opening_anew_begins_with_fresh_numbers(self) -> None:
        script = Script().opened().asked()
        script.hears(FrameKind.I, LLC + ANSWER, receive=1)
        script.client.data_to_send()
        script.opened().asked()
        assert script.kinds() == ["I 0 0"]


class TestAsking:
    """Requests, answers, segments."""

    def test_the_numbers_go_round(self) -> None:
        script = Script().opened()
        for number in range(20):
            script.asked()
            assert script.kinds() == [f"I {number % 8} {number % 8}"]
            events = script.hears(FrameKind.I, LLC + ANSWER, send=number % 8, receive=(number + 1) % 8)
            assert events == [ApduReceived(ANSWER, 1, 16)]
            assert script.client.deadline is None

    def test_llc_before_the_first_segment_alone(self) -> None:
        script = Script().opened().asked(bytes(range(200)))
        (first,) = script.sent()
        assert (said(first), first.information) == ("I 0 0+", b"\xe6\xe6\x00" + bytes(range(125)))
        assert script.hears(FrameKind.RR, receive=1) == []
        (last,) = script.sent()
        assert (said(last), last.information) == ("I 1 0", bytes(range(125, 200)))
        assert script.hears(FrameKind.I, LLC + ANSWER, receive=2) == [ApduReceived(ANSWER, 1, 16)]

    def test_a_long_answer_is_asked_for_piece_by_piece(self) -> None:
        script = Script().opened().asked()
        script.client.data_to_send()
        assert script.hears(FrameKind.I, LLC + b"\x01\x02", receive=1, segmented=True) == []
        assert script.kinds() == ["RR 1"]
        assert script.hears(FrameKind.I, b"\x03", send=1, receive=1, segmented=True) == []
        assert script.kinds() == ["RR 2"]
        assert script.hears(FrameKind.I, b"\x04", send=2, receive=1) == [
            ApduReceived(b"\x01\x02\x03\x04", 1, 16)
        ]
        assert script.kinds() == []

    @pytest.mark.parametrize("llc", [b"\xe6\xe6\x00", b"\xe6\xe7\x00", b""])
    def test_either_llc_is_taken_or_none(self, llc: bytes) -> None:
        script = Script().opened().asked()
        assert script.hears(FrameKind.I, llc + ANSWER, receive=1) == [ApduReceived(ANSWER, 1, 16)]

    def test_a_longer_frame_than_agreed_is_taken(self) -> None:
        script = Script().opened().asked()
        answer = bytes(1500)
        assert script.hears(FrameKind.I, LLC + answer, receive=1) == [ApduReceived(answer, 1, 16)]

    def test_two_frames_with_f_unset_then_set(self) -> None:
        """A window of two: only the last gives the turn back."""
        script = Script().opened(HdlcParameters(128, 128, 2, 2)).asked()
        script.client.data_to_send()
        assert script.hears(FrameKind.I, LLC + b"\x01", receive=1, segmented=True, poll=False) == []
        assert script.kinds() == []
        assert script.hears(FrameKind.I, b"\x02", send=1, receive=1) == [ApduReceived(b"\x01\x02", 1, 16)]

    def test_a_window_of_three_is_filled_and_a_turn_ends_with_an_apdu(self) -> None:
        script = Script().opened(HdlcParameters(128, 128, 1, 3)).asked(bytes(500))
        assert script.kinds() == ["I 0 0 no P+", "I 1 0 no P+", "I 2 0+"]
        script.hears(FrameKind.RR, receive=2)  # the third was lost
        assert script.kinds() == ["I 2 0 no P+", "I 3 0"]

    def test_sending_while_it_is_the_meter_s_turn_waits(self) -> None:
        script = Script().opened().asked().asked()
        assert script.kinds() == ["I 0 0"]
        script.hears(FrameKind.I, LLC + ANSWER, receive=1)
        assert script.kinds() == ["I 1 1"]

    def test_nothing_can_be_sent_while_closed(self) -> None:
        client = HdlcClient(SETTINGS)
        with pytest.raises(
            LocalProtocolError, match="an I frame of the client has no place while the link is disconnected"
        ):
            client.send(REQUEST, 0.0)
        with pytest.raises(LocalProtocolError):
            client.poll(0.0)
        with pytest.raises(LocalProtocolError, match="not open"):
            _ = client.parameters

    def test_an_apdu_without_end_is_not_put_together(self) -> None:
        script = Script(replace(SETTINGS, longest_apdu=1000)).opened().asked()
        events: list[LinkEvent] = []
        for number in range(12):
            events += script.hears(FrameKind.I, bytes(100), send=number % 8, receive=1, segmented=True)
        error = failure(events)
        assert isinstance(error, RemoteProtocolError)
        assert "grows beyond" in error.what

    def test_segments_without_octets_do_not_go_on_for_ever(self) -> None:
        script = Script().opened().asked()
        assert isinstance(failure(script.hears(FrameKind.I, receive=1, segmented=True)), RemoteProtocolError)


class TestSlowMeters:
    """RR and RNR instead of an answer; notifications before it."""

    def test_rr_is_not_yet(self) -> None:
        script = Script().opened().asked()
        script.client.data_to_send()
        for _ in range(8):
            assert script.hears(FrameKind.RR, receive=1) == []
            assert script.kinds() == []
            assert script.waits() == []
            assert script.kinds() == ["RR 0"]
        assert script.hears(FrameKind.I, LLC + ANSWER, receive=1) == [ApduReceived(ANSWER, 1, 16)]
        assert script.now == 104.0

    def test_rnr_then_the_frame_goes_again(self) -> None:
        script = Script().opened().asked()
        script.client.data_to_send()
        for _ in range(8):
            assert script.hears(FrameKind.RNR) == []
            assert script.kinds() == []
            assert script.waits() == []
            assert script.kinds() == ["RR 0"]
        assert script.hears(FrameKind.RR) == []
        assert script.kinds() == ["I 0 0"]

    @pytest.mark.parametrize("kind", [FrameKind.RR, FrameKind.RNR])
    def test_a_meter_that_pauses_in_the_middle_of_its_answer(self, kind: FrameKind) -> None:
        script = Script().opened().asked()
        script.hears(FrameKind.I, LLC + b"\x01", receive=1, segmented=True)
        script.client.data_to_send()
        for _ in range(8):
            assert script.hears(kind, receive=1) == []
            assert script.kinds() == []
            assert script.waits() == []
            assert script.kinds() == ["RR 1"]
        assert script.hears(FrameKind.I, b"\x02", send=1, receive=1) == [ApduReceived(b"\x01\x02", 1, 16)]

    @pytest.mark.parametrize("kind", [FrameKind.RR, FrameKind.RNR])
    def test_patience_ends(self, kind: FrameKind) -> None:
        script = Script().opened().asked()
        events: list[LinkEvent] = []
        while not events:
            events = script.hears(kind, receive=1) or script.waits()
        error = failure(events)
        assert isinstance(error, Timeout)
        assert "is there, but has not answered for" in error.what
        assert 120.0 < script.now < 121.0

    def test_a_request_that_is_never_answered_does_not_end_a_link_that_works(self) -> None:
        script = Script().opened().asked()
        script.hears(FrameKind.RR, receive=1)
        script.asked()
        assert script.hears(FrameKind.I, LLC + ANSWER, receive=2) == [ApduReceived(ANSWER, 1, 16)]
        while script.client.deadline is not None:
            assert script.waits() == []
            assert script.hears(FrameKind.RR, receive=2) == []
        assert script.now > 120.0
        assert script.client.is_open

    def test_a_notification_is_not_the_answer(self) -> None:
        script = Script().opened().asked()
        notification = bytes.fromhex("0f00000001000900")
        assert script.hears(FrameKind.I, LLC + notification, receive=1) == [ApduReceived(notification, 1, 16)]
        script.client.data_to_send()
        script.waits()
        assert script.kinds() == ["RR 1"]
        assert script.hears(FrameKind.I, LLC + ANSWER, send=1, receive=1) == [ApduReceived(ANSWER, 1, 16)]

    def test_who_knows_better_can_poll(self) -> None:
        script = Script().opened().asked()
        script.hears(FrameKind.I, LLC + b"\xdb\x00", receive=1)  # ciphered: the link cannot know what it is
        script.client.data_to_send()
        assert script.client.deadline is None
        script.client.poll(script.now)
        assert script.kinds() == ["RR 1"]
        script.client.poll(script.now)
        assert script.kinds() == []

    def test_keep_alive(self) -> None:
        script = Script(replace(SETTINGS, keep_alive=30.0)).opened()
        for _ in range(20):
            assert script.client.deadline == script.now + 30.0
            assert script.waits() == []
            assert script.kinds() == ["RR 0"]
            assert script.hears(FrameKind.RR) == []
        script.waits()
        assert isinstance(
            failure([*script.waits(), *script.waits(), *script.waits(), *script.waits()]), Timeout
        )


class TestRecovery:
    """Frames that get lost, doubled or mixed up."""

    def test_first_it_asks_what_was_received_then_it_repeats(self) -> None:
        script = Script().opened().asked()
        assert script.kinds() == ["I 0 0"]
        assert script.waits() == []
        assert script.kinds() == ["RR 0"]
        assert script.waits() == []
        assert script.kinds() == ["I 0 0"]
        assert script.waits() == []
        assert script.kinds() == ["RR 0"]
        error = failure(script.waits())
        assert isinstance(error, Timeout)
        assert "restarted" in error.hint
        assert script.now == 108.0

    def test_the_request_was_lost(self) -> None:
        script = Script().opened().asked()
        script.waits()
        script.client.data_to_send()
        assert script.hears(FrameKind.RR, receive=0) == []
        assert script.kinds() == ["I 0 0"]

    def test_the_answer_was_lost(self) -> None:
        script = Script().opened().asked()
        script.waits()
        script.client.data_to_send()
        assert script.hears(FrameKind.I, LLC + ANSWER, receive=1) == [ApduReceived(ANSWER, 1, 16)]

    def test_a_late_answer_and_the_answer_to_the_question_about_it(self) -> None:
        script = Script().opened().asked()
        script.waits()
        assert script.hears(FrameKind.I, LLC + ANSWER, receive=1) == [ApduReceived(ANSWER, 1, 16)]
        script.asked()
        script.client.data_to_send()
        assert script.hears(FrameKind.I, LLC + ANSWER, receive=1) == []
        assert script.kinds() == []
        assert script.hears(FrameKind.I, LLC + ANSWER, send=1, receive=2) == [ApduReceived(ANSWER, 1, 16)]

    def test_a_doubled_answer_is_delivered_once(self) -> None:
        script = Script().opened().asked()
        script.client.data_to_send()
        assert len(script.hears(FrameKind.I, LLC + ANSWER, receive=1)) == 1
        assert script.hears(FrameKind.I, LLC + ANSWER, receive=1) == []
        assert script.kinds() == []

    def test_a_meter_that_never_gets_any_further(self) -> None:
        script = Script().opened().asked()
        events: list[LinkEvent] = []
        turns = 0
        while not events:
            events = script.hears(FrameKind.RR, receive=0)
            turns += 1
        error = failure(events)
        assert isinstance(error, RemoteProtocolError)
        assert turns == 4
        assert "neither takes our frame nor sends the next" in error.what

    def test_an_acknowledgement_of_what_was_never_sent(self) -> None:
        script = Script().opened().asked()
        events: list[LinkEvent] = []
        while not events:
            events = script.hears(FrameKind.I, LLC + ANSWER, receive=5)
        error = failure(events)
        assert isinstance(error, RemoteProtocolError)
        assert error.what == "N(R) 5 acknowledges a frame that was never sent (the next is 1)"

    def test_dm_over_an_open_connection(self) -> None:
        error = failure(Script().opened().asked().hears(FrameKind.DM))
        assert isinstance(error, ConnectionLost)
        assert "inactivity" in error.hint

    def test_frmr_says_which_frame_and_why(self) -> None:
        script = Script().opened().asked()
        told = FrameReject(0x10, 0, 0, RejectReason.TOO_LONG | RejectReason.CONTROL)
        error = failure(script.hears(FrameKind.FRMR, told.to_octets()))
        assert "I (10): unknown control octet, information too long" in error.what
        assert isinstance(failure(Script().opened().hears(FrameKind.FRMR)), RemoteProtocolError)

    @pytest.mark.parametrize("kind", [FrameKind.SNRM, FrameKind.DISC, FrameKind.UA])
    def test_frames_without_a_place_are_passed_over(self, kind: FrameKind) -> None:
        script = Script().opened().asked()
        assert script.hears(kind) == []
        assert script.client.passed_over == 1
        assert script.hears(FrameKind.I, LLC + ANSWER, receive=1) == [ApduReceived(ANSWER, 1, 16)]

    def test_a_control_octet_that_is_not_used(self) -> None:
        script = Script().opened().asked()
        octets = Frame(CLIENT, SERVER, control(FrameKind.RR)).to_octets()
        assert script.client.receive(octets.replace(b"\x11", b"\x19"), script.now) == []
        assert script.hears(FrameKind.I, LLC + ANSWER, receive=1) == [ApduReceived(ANSWER, 1, 16)]

    def test_a_frame_that_trickles_in_is_waited_for(self) -> None:
        script = Script().opened().asked()
        script.client.data_to_send()
        octets = Frame(CLIENT, SERVER, control(FrameKind.I, receive=1), LLC + bytes(100)).to_octets()
        script.now += 1.7
        events: list[LinkEvent] = []
        for octet in octets:
            script.now += 0.1
            events += script.client.receive(bytes((octet,)), script.now)
            if script.client.deadline is not None and script.client.deadline <= script.now:
                events += script.client.tick(script.now)
        assert events == [ApduReceived(bytes(100), 1, 16)]
        assert script.kinds() == []

    def test_a_trickle_without_end_is_not(self) -> None:
        script = Script().opened().asked()
        events: list[LinkEvent] = []
        head = Frame(CLIENT, SERVER, control(FrameKind.I, receive=1), bytes(1900)).to_octets()[:12]
        script.client.receive(head, script.now)
        while not events:
            script.now += 0.1
            events += script.client.receive(b"\x00", script.now)
            events += script.client.tick(script.now)
        assert isinstance(failure(events), Timeout)
        assert script.now < 200.0

    def test_a_frame_that_stopped_in_its_middle_is_given_up(self) -> None:
        """One octet of its check sequence is missing; the same answer, asked for again, comes through."""
        script = Script().opened().asked()
        octets = Frame(CLIENT, SERVER, control(FrameKind.I, receive=1), LLC + ANSWER).to_octets()
        assert script.client.receive(octets[:-2] + octets[-1:], script.now) == []
        assert script.waits() == []
        assert script.kinds() == ["I 0 0", "RR 0"]
        assert script.client.receive(octets, script.now) == [ApduReceived(ANSWER, 1, 16)]

    def test_an_answer_behind_a_frame_that_never_ends_is_found(self) -> None:
        script = Script().opened().asked()
        script.client.data_to_send()
        begun = Frame(CLIENT, SERVER, control(FrameKind.I, receive=1), bytes(1000)).to_octets()[:50]
        answer = Frame(CLIENT, SERVER, control(FrameKind.I, receive=1), LLC + ANSWER).to_octets()
        assert script.client.receive(begun + answer, script.now) == []
        assert script.waits() == [ApduReceived(ANSWER, 1, 16)]
        assert script.kinds() == []
        assert script.client.deadline is None

    def test_a_push_behind_a_frame_that_never_ends_is_not_lost(self) -> None:
        script = Script().opened().asked()
        begun = Frame(CLIENT, SERVER, control(FrameKind.I, receive=1), bytes(1000)).to_octets()[:50]
        push = Frame(CLIENT, SERVER, control(FrameKind.UI, poll=False), LLC + b"\x0f").to_octets()
        script.client.receive(begun + push, script.now)
        assert script.waits() == [Unsolicited(b"\x0f", 1, 16)]
        assert script.kinds() == ["I 0 0", "RR 0"]

    def test_lost(self) -> None:
        script = Script().opened().asked()
        script.client.lost()
        assert script.client.data_to_send() == b""
        assert script.client.deadline is None
        assert not script.client.is_open
        script.opened()


class TestClosing:
    """DISC, and another client on the same line."""

    @pytest.mark.parametrize("answer", [FrameKind.UA, FrameKind.DM])
    def test_disc(self, answer: FrameKind) -> None:
        script = Script().opened()
        assert script.client.close(script.now) == []
        assert script.kinds() == ["DISC"]
        assert script.client.close(script.now) == []
        assert script.kinds() == []
        assert script.hears(answer) == [LinkClosed()]
        assert script.client.deadline is None

    def test_what_is_closed_closes_at_once(self) -> None:
        assert HdlcClient(SETTINGS).close(0.0) == [LinkClosed()]

    def test_nothing_is_sent_or_opened_while_closing(self) -> None:
        script = Script().opened()
        script.client.close(script.now)
        with pytest.raises(LocalProtocolError, match="while the link is disconnecting"):
            script.client.send(REQUEST, script.now)
        with pytest.raises(LocalProtocolError, match="while the link is disconnecting"):
            script.client.open(script.now)

    def test_closing_in_the_middle_of_a_request(self) -> None:
        script = Script().opened().asked()
        script.client.close(script.now)
        assert script.hears(FrameKind.I, LLC + ANSWER, receive=1) == []
        assert script.hears(FrameKind.UA) == [LinkClosed()]

    def test_closing_while_it_is_opening(self) -> None:
        script = Script()
        script.client.open(script.now)
        script.client.close(script.now)
        assert script.kinds() == ["SNRM", "DISC"]
        assert script.hears(FrameKind.DM) == [LinkClosed()]

    def test_a_disc_nobody_answers(self) -> None:
        script = Script().opened()
        script.client.close(script.now)
        for _ in range(3):
            assert script.waits() == []
        assert "did not answer DISC" in failure(script.waits()).what
        assert script.kinds() == ["DISC"] * 4

    def test_the_second_answer_to_a_repeated_disc_does_not_refuse_the_next_connection(self) -> None:
        script = Script().opened()
        script.client.close(script.now)
        script.waits()
        assert script.hears(FrameKind.UA) == [LinkClosed()]
        script.client.open(script.now)
        script.client.data_to_send()
        assert script.hears(FrameKind.DM) == []
        assert script.kinds() == []
        assert script.hears(FrameKind.UA) == [LinkOpened()]

    def test_another_client_on_the_same_line(self) -> None:
        script = Script().opened()
        other = replace(SETTINGS, client=HdlcAddress.of_client(80))
        with pytest.raises(LocalProtocolError, match="not closed"):
            script.client.readdress(other)
        script.client.close(script.now)
        script.hears(FrameKind.UA)
        script.client.data_to_send()
        script.client.readdress(other)
        script.client.open(script.now)
        (snrm,) = script.sent()
        assert snrm.source == HdlcAddress(80)
        assert script.hears(FrameKind.UA) == []  # still for client 16
        script.address = HdlcAddress(80)
        assert script.hears(FrameKind.UA) == [LinkOpened()]


class TestUnconfirmed:
    """UI frames, both ways."""

    def test_they_need_no_connection(self) -> None:
        script = Script(replace(SETTINGS, server=HdlcAddress(0x7F, 0x7F, 2)))
        script.client.send(REQUEST, script.now, confirmed=False)
        (frame,) = script.sent()
        assert said(frame) == "UI no P"
        assert frame.destination.is_all_stations
        assert frame.information == b"\xe6\xe6\x00" + REQUEST
        assert script.client.deadline is None

    def test_they_wait_for_our_turn(self) -> None:
        script = Script().opened().asked()
        script.client.send(b"\x01", script.now, confirmed=False)
        assert script.kinds() == ["I 0 0"]
        script.hears(FrameKind.I, LLC + ANSWER, receive=1)
        assert script.kinds() == ["UI no P"]

    def test_long_ones_go_in_segments(self) -> None:
        script = Script().opened()
        script.client.send(bytes(200), script.now, confirmed=False)
        assert script.kinds() == ["UI no P+", "UI no P"]

    @pytest.mark.parametrize("poll", [True, False])
    def test_a_push_amid_an_exchange(self, poll: bool) -> None:
        script = Script().opened().asked()
        script.client.data_to_send()
        push = bytes.fromhex("0f0000000100")
        assert script.hears(FrameKind.UI, LLC + push, poll=poll) == [Unsolicited(push, 1, 16)]
        assert script.hears(FrameKind.I, LLC + ANSWER, receive=1) == [ApduReceived(ANSWER, 1, 16)]
        assert script.kinds() == []

    def test_a_push_in_segments_of_which_one_lost_its_end(self) -> None:
        script = Script()
        script.hears(FrameKind.UI, LLC + b"\x01", poll=False, segmented=True)
        script.hears(FrameKind.UI, LLC + b"\x02", poll=False, segmented=True)
        assert script.hears(FrameKind.UI, b"\x03", poll=False) == [Unsolicited(b"\x02\x03", 1, 16)]

    def test_a_push_without_end_is_dropped(self) -> None:
        script = Script(replace(SETTINGS, longest_apdu=100))
        for _ in range(50):
            assert script.hears(FrameKind.UI, bytes(60), poll=False, segmented=True) == []
        assert script.client.passed_over == 25

    def test_a_push_for_somebody_else(self) -> None:
        script = Script()
        script.address = HdlcAddress(103)
        assert script.hears(FrameKind.UI, LLC + b"\x0f", poll=False) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"response_timeout": 0.0},
        {"patience": -1.0},
        {"keep_alive": 0.0},
        {"poll_interval": 0.0},
        {"inter_octet_timeout": 0.0},
        {"retries": -1},
    ],
    ids=str,
)
def test_settings_that_make_no_sense(wrong: dict[str, float]) -> None:
    with pytest.raises(LocalProtocolError):
        HdlcClientSettings(CLIENT, SERVER, **wrong)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # that is what is tested
