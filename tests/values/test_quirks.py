"""Quirks: the defaults are the standard."""

import dataclasses

from meterwright.values import ImageMethodParameter, Quirks


def test_the_defaults_are_the_standard() -> None:
    assert Quirks() == Quirks(
        verify_parameter=ImageMethodParameter.INTEGER, activate_parameter=ImageMethodParameter.INTEGER
    )


def test_one_oddity_at_a_time() -> None:
    odd = dataclasses.replace(Quirks(), verify_parameter=ImageMethodParameter.NULL)
    assert odd.activate_parameter is ImageMethodParameter.INTEGER
    assert odd != Quirks()
