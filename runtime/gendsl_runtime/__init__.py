"""GenDSL's engine. Importing it fixes the numerical setting, before anything imports torch."""

from __future__ import annotations

from gendsl_runtime.numerics import settle

settle()
