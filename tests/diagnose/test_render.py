"""The text for people: columns, styles, long runs."""

import pytest

from meterwright.diagnose import Style, explain, render_lines, render_text


def styles(octets: str) -> list[Style]:
    return [style for style, _ in render_lines(explain(bytes.fromhex(octets)))]


def test_lines_make_the_text() -> None:
    explanation = explain(bytes.fromhex("c401c10103"))
    assert render_text(explanation) == "".join(f"{text}\n" for _, text in render_lines(explanation))


@pytest.mark.parametrize(
    ("octets", "style"),
    [
        ("c501c100", Style.TITLE),
        ("c501c100", Style.READ),
        ("0001000100100004c501c100", Style.LAYER),
        ("c001c100080000010000ff0200", Style.GROUP),
        ("c001c100080000010000ff0207", Style.ILLEGAL),
        ("c001c100080000010000ff020700", Style.UNREAD),
        ("c501c103", Style.ERROR),
        ("c501c103", Style.TRY),
        ("c701c100", Style.WARNING),
        ("6117a109060760857405080101a203020100a305a10302010e", Style.INFO),
    ],
)
def test_a_line_has_the_style_of_what_it_says(octets: str, style: Style) -> None:
    assert style in styles(octets)


def test_all_styles_are_used() -> None:
    octets = ["6117a109060760857405080101a203020100a305a10302010e", "0001000100100004c501c103", "c701c100",
              "c001c100080000010000ff020700"]  # fmt: skip
    assert {style for each in octets for style in styles(each)} == set(Style)


def test_columns_stand_in_line() -> None:
    text = render_text(explain(bytes.fromhex("c301c1001200002c0000ff01010202090346573106000001c2")))
    rows = [line for line in text.splitlines() if line[:5].strip().isdigit()]
    assert [line[7:30].strip() for line in rows[:3]] == ["c3 01", "c1", "00 12"]
    assert all(line[5:7] == "  " and line[30:32] == "  " for line in rows)
    assert [int(line[:5]) for line in rows] == sorted(int(line[:5]) for line in rows)


def test_a_long_run_is_shortened() -> None:
    text = render_text(explain(b"\xc4\x01\xc1\x00\x09\x82\x10\x00" + bytes(range(1, 17)) * 256))
    assert "… 4100 octets" in text
    assert len(text.splitlines()) < 20


def test_offsets_are_those_of_the_apdu() -> None:
    bare = render_text(explain(bytes.fromhex("c501c100"))).splitlines()
    wrapped = render_text(explain(bytes.fromhex("0001000100100004c501c100"))).splitlines()
    assert [line for line in wrapped if not line.startswith("in wrapper")] == bare


def test_findings_are_numbered_and_say_what_to_try() -> None:
    text = render_text(explain(bytes.fromhex("c501c103")))
    assert "\n 1. read-write-denied: " in text
    assert "\n    try: " in text
    assert "[offset 3]" in text
