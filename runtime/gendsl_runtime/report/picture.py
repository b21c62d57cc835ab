"""A figure of a finished run as a picture that stands inside another page: small, still, and nothing but shapes."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from markupsafe import Markup

from gendsl import spec
from gendsl_runtime.report.files import stem

MOST = 300_000
"""Bytes of an SVG that goes into the page as it is; a larger one is shown as its PNG."""
SVG = "{http://www.w3.org/2000/svg}"
LINK = "{http://www.w3.org/1999/xlink}href"
SHAPES = frozenset(
    "svg g path line rect circle text tspan defs clipPath linearGradient stop image".split()  # noqa: SIM905
)
"""What charts are drawn with; anything else is left out."""
FOREIGN = re.compile(r"on|aria-|role$|style$|href$|tabindex$")
"""Attributes that a still picture has no use for."""
REFERENCE = re.compile(r"url\(#")


@dataclass(frozen=True)
class Picture:
    """One of both: an SVG for the page, or the address of a PNG that holds the whole picture."""

    name: str
    caption: str
    svg: Markup | None = None
    png: str = ""


def picture(plots: list[spec.Plot], folder: Path, *, key: str) -> Picture | None:
    """The first of these figures that the run in this folder has drawn; None where it drew none of them.

    Args:
        key: tells the names inside this picture from those of others on the same page.
    """
    for plot in plots:
        path = folder / "figures" / f"{stem(plot.name)}.svg"
        caption = " ".join(plot.caption.split()) or plot.name.replace("_", " ")
        try:
            if path.stat().st_size <= MOST:
                return Picture(plot.name, caption, svg=still(path.read_text("utf-8"), key=key))
            content = path.with_suffix(".png").read_bytes()
        except (OSError, ValueError):
            continue  # this figure could not be drawn, or is damaged; the report says so
        address = f"data:image/png;base64,{base64.b64encode(content).decode()}"
        return Picture(plot.name, caption, png=address)
    return None


def still(text: str, *, key: str) -> Markup:
    """An SVG as part of a page: known shapes only, no script, no address but of pictures inside it.

    Raises:
        ValueError: it is no SVG.
    """
    if "<!" in text:
        raise ValueError("a figure has no declarations")
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise ValueError(str(error)) from error
    if root.tag != f"{SVG}svg":
        raise ValueError("not an SVG")
    _clean(root, key)
    for paper in [one for one in root if one.tag == f"{SVG}rect"]:
        root.remove(paper)  # the page has its own
    root.attrib = {name: root.get(name, "") for name in ("viewBox", "class")}
    root.set("focusable", "false")
    for node in root.iter():
        node.tag = node.tag.removeprefix(SVG)
    return Markup(ElementTree.tostring(root, encoding="unicode", short_empty_elements=False))


def _clean(node: ElementTree.Element, key: str) -> None:
    for child in list(node):
        if child.tag.removeprefix(SVG) in SHAPES:
            _clean(child, key)
        else:
            node.remove(child)
    image = node.get("href") or node.get(LINK) or ""
    for name in list(node.attrib):
        if FOREIGN.match(name) or "}" in name:
            del node.attrib[name]
    if image.startswith("data:image/png;base64,"):
        node.set("href", image)
    for name, value in node.attrib.items():
        if name == "id":
            node.set(name, f"{key}-{value}")
        elif "url(" in value:
            node.set(name, REFERENCE.sub(f"url(#{key}-", value))
