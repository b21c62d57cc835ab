"""The specs that tests of the language read: every shipped one, and three that show the whole syntax."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
SHIPPED = sorted((ROOT / "specs").rglob("*.gen"))
SHOWN = sorted((Path(__file__).parent / "shown").glob("*.gen"))
ALL = [*SHIPPED, *SHOWN]
