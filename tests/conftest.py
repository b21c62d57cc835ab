"""Fixes the numerical setting before any test imports torch."""

from __future__ import annotations

import gendsl_runtime  # noqa: F401
