"""Writes `docs/reference/`, one page a kind, from the component files: `make reference`."""

from __future__ import annotations

from pathlib import Path

from gendsl_runtime.cli.explain import page
from gendsl_runtime.components import FOLDERS, catalogue, families

FOLDER = Path(__file__).parent / "reference"
HEAD = """# {title}

Made from the files in `runtime/gendsl_runtime/{folder}/` by `make reference`; `gen explain NAME` prints the same.
"""


def pages() -> dict[str, str]:
    """The text of each page by its file's name."""
    known = catalogue()
    return {
        f"{folder}.md": "\n".join(
            [
                HEAD.format(title=folder.capitalize(), folder=folder),
                *(
                    (f"## {family.capitalize()}\n\n" if family else "")
                    + "\n".join(
                        f"{'###' if family else '##'} {name}\n\n```text\n{page(known.components[kind, name])}```\n"
                        for name in names
                    )
                    for family, names in families(kind).items()
                ),
            ]
        )
        for kind, folder in FOLDERS.items()
    }


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text, "utf-8")
