"""The bibliography: BibTeX entries of `papers.bib`, and how they are printed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILE = Path(__file__).parent.parent / "papers.bib"
_ENTRY = re.compile(r"^@(\w+)\{([^,\s]+),\s*\n(.*?)^\}", re.MULTILINE | re.DOTALL)
_FIELD = re.compile(r"^\s*(\w+)\s*=\s*\{(.*?)\},?\s*$", re.MULTILINE)
_IDENTIFIER = re.compile(r"[\w.()/;:-]+")


@dataclass(frozen=True)
class Paper:
    """One entry; `text` is its BibTeX, `fields` are as they are printed."""

    key: str
    fields: dict[str, str]
    text: str

    @property
    def authors(self) -> list[str]:
        """Each as `Given Family`."""
        people = self.fields.get("author", "").split(" and ")
        return [" ".join(reversed(person.split(", "))) for person in people]

    @property
    def short(self) -> str:
        """`Huang et al. 2020`."""
        families = [person.split(", ")[0] for person in self.fields.get("author", "").split(" and ")]
        if len(families) > 2:
            return f"{families[0]} et al. {self.fields['year']}"
        return f"{' and '.join(families)} {self.fields['year']}"

    @property
    def venue(self) -> str:
        """Where it appeared, with volume and pages."""
        fields = self.fields
        name = fields.get("journal") or fields.get("booktitle") or fields.get("school")
        name = name or fields.get("howpublished") or fields.get("publisher") or ""
        if not name and "eprint" in fields:
            return f"arXiv:{fields['eprint']}"
        volume = " " + fields["volume"] if "volume" in fields else ""
        number = f"({fields['number']})" if "number" in fields else ""
        pages = f", {fields['pages']}" if "pages" in fields else ""
        return f"{name}{volume}{number}{pages}"

    @property
    def identifier(self) -> str:
        """`10.1073/pnas.1903070116`, or `arXiv:1412.6614`; empty where there is neither."""
        eprint = self.fields.get("eprint", "")
        return self.fields.get("doi") or (f"arXiv:{eprint}" if eprint else "")

    @property
    def link(self) -> str:
        """Where to read it; empty where that is not known."""
        for field, address in (("doi", "https://doi.org/"), ("eprint", "https://arxiv.org/abs/")):
            identifier = self.fields.get(field, "")
            if _IDENTIFIER.fullmatch(identifier):
                return address + identifier
        return ""


@cache
def papers() -> dict[str, Paper]:
    """Every entry by its key."""
    return read(FILE.read_text(encoding="utf-8"))


def read(text: str) -> dict[str, Paper]:
    """The entries of a BibTeX text: one field a line, values in braces."""
    return {
        match[2]: Paper(
            match[2], {name.lower(): _printed(value) for name, value in _FIELD.findall(match[3])}, match[0]
        )
        for match in _ENTRY.finditer(text)
    }


def _printed(value: str) -> str:
    """A field without what speaks to BibTeX alone: braces that keep capitals, dollars around mathematics."""
    return value.translate({ord(letter): None for letter in "{}$"})
