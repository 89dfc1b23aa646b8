"""Security control, policies, suites, roles."""

import pytest

from meterwright.values import Protection, Role, SecurityControl, SecurityPolicy, SecuritySuite


@pytest.mark.parametrize("octet", range(256))
def test_every_octet_is_a_control(octet: int) -> None:
    control = SecurityControl.from_octet(octet)
    assert control.to_octet() == octet
    assert control is SecurityControl.from_octet(octet)
    assert int(control.protection) == octet & 0x30
    assert int(control.suite) == octet & 0x0F


@pytest.mark.parametrize("octet", [-1, 256])
def test_what_is_no_octet_is_refused(octet: int) -> None:
    with pytest.raises(ValueError, match="not an octet"):
        SecurityControl.from_octet(octet)


@pytest.mark.parametrize(
    ("octet", "control"),
    [
        (0x10, SecurityControl(SecuritySuite.SUITE_0, authenticated=True)),
        (0x20, SecurityControl(SecuritySuite.SUITE_0, encrypted=True)),
        (0x31, SecurityControl(SecuritySuite.SUITE_1, authenticated=True, encrypted=True)),
        (0x72, SecurityControl(SecuritySuite.SUITE_2, authenticated=True, encrypted=True, broadcast=True)),
        (0x80, SecurityControl(SecuritySuite.SUITE_0, compressed=True)),
    ],
)
def test_bits_mean_what_the_book_says(octet: int, control: SecurityControl) -> None:
    assert SecurityControl.from_octet(octet) == control


def test_controls_are_frozen_hashable_and_small() -> None:
    control = SecurityControl.from_octet(0x30)
    with pytest.raises(AttributeError):
        setattr(control, "suite", 1)  # noqa: B010 - past the type checker
    assert hash(control) == hash(SecurityControl.from_octet(0x30))
    assert not hasattr(control, "__dict__")


EVERYTHING = Protection.BOTH | Protection.SIGNATURE


@pytest.mark.parametrize(
    ("policy", "requests", "responses"),
    [
        (0, Protection.NONE, Protection.NONE),
        (1, Protection.AUTHENTICATION, Protection.AUTHENTICATION),
        (2, Protection.ENCRYPTION, Protection.ENCRYPTION),
        (3, Protection.BOTH, Protection.BOTH),
        (0x04, Protection.AUTHENTICATION, Protection.NONE),
        (0x08, Protection.ENCRYPTION, Protection.NONE),
        (0x0C, Protection.BOTH, Protection.NONE),
        (0x20, Protection.NONE, Protection.AUTHENTICATION),
        (0x40, Protection.NONE, Protection.ENCRYPTION),
        (0x6C, Protection.BOTH, Protection.BOTH),
        (0x10, Protection.SIGNATURE, Protection.NONE),
        (0x90, Protection.SIGNATURE, Protection.SIGNATURE),
        (0xFC, EVERYTHING, EVERYTHING),
    ],
)
def test_policies_of_both_versions(policy: int, requests: Protection, responses: Protection) -> None:
    value = SecurityPolicy(policy)
    assert value.required(Role.CLIENT) is requests
    assert value.required(Role.SERVER) is responses
    assert value.wants_signatures is bool(policy & 0x90)


def test_roles_face_each_other() -> None:
    assert Role.CLIENT.other is Role.SERVER
    assert Role.SERVER.other is Role.CLIENT
