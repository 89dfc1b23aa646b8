"""How Sphinx builds the documentation: MyST pages, furo, no network, every warning an error (`make docs`)."""

from importlib.metadata import version as installed_version

project = "Meterwright"
author = "The Meterwright authors"
copyright = "2026, The Meterwright authors"
release = installed_version("meterwright")
version = release

extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
root_doc = "index"
exclude_patterns = ["_build"]

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 4

html_theme = "furo"
html_title = f"Meterwright {release}"
html_show_sourcelink = False
