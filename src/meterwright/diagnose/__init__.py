"""Diagnosis: what octets mean and why a meter answered so.

`explain` takes any octets and never raises; `render_text` and `Explanation.as_json` show what it found; `read_octets` takes
hex in whatever dress; `explain_batch` serves programs.
"""

from meterwright.diagnose.batch import explain_batch, explain_line
from meterwright.diagnose.explain import explain
from meterwright.diagnose.explanation import Explanation, Json, Layer, Part, Reading, State
from meterwright.diagnose.keys import OpeningKeys
from meterwright.diagnose.octets import read_octets
from meterwright.diagnose.render import Style, render_lines, render_text

__all__ = [
    "Explanation",
    "Json",
    "Layer",
    "OpeningKeys",
    "Part",
    "Reading",
    "State",
    "Style",
    "explain",
    "explain_batch",
    "explain_line",
    "read_octets",
    "render_lines",
    "render_text",
]
