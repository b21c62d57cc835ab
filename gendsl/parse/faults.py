"""Saying what is wrong with a declaration that could not be read.

The fault is found by repair: which single sign, put in, exchanged or taken out near the place where reading
stopped, makes the whole declaration readable? The message names that sign.
"""

from __future__ import annotations

import re

from gendsl.diagnostic import Diagnostic, Label
from gendsl.parse.driver import DEEPEST, Halt, advance
from gendsl.parse.lex import BAD, END, FOREIGN, Fault, Tokens
from gendsl.parse.repair import BETWEEN, COMPARISONS, OPERATORS, REACH, Repair, Trial
from gendsl.parse.segment import CLOSERS, OPENERS, Segment, kind
from gendsl.parse.tables import tables
from gendsl.source import Source, Span
from gendsl.words import DECLARING, RESERVED, nearest


def diagnose(segment: Segment, halt: Halt) -> Diagnostic:
    """The one diagnostic for a segment that cannot be read."""
    table = tables()
    kinds = [*segment.tokens.kinds[segment.first : segment.end], END]
    local = advance([table.starts[segment.start]], kinds) if not halt.too_deep else halt.at - segment.first
    at = segment.first + min(local, len(kinds) - 1)
    if halt.too_deep:
        return _fault(
            segment,
            "too-deep",
            f"this is nested more than {DEEPEST} levels deep",
            segment.span(at),
            help=_LET,
        )
    bad = next((f for f in segment.tokens.faults if f.token == at and segment.tokens.kinds[at] == BAD), None)
    if bad is not None and at < segment.end:
        return _unreadable(segment.source, bad)
    return (
        _swallowing(segment, at)
        or _special(segment, at)
        or _repaired(segment, at, kinds, local)
        or _unexpected(segment, at)
    )


_DECLARATION = re.compile(
    rf"^[ ]?(?:{'|'.join(DECLARING)})[ ]+[A-Za-z_]\w*[ ]*(?:[={{:]|in\b|extends\b)", re.M
)


def _swallowing(segment: Segment, at: int) -> Diagnostic | None:
    """A text before the place that holds a declaration: its closing quotes are missing or damaged."""
    tokens = segment.tokens
    for number in range(max(0, segment.first - 1, at - REACH), min(at, segment.end - 1) + 1):
        if tokens.kinds[number] == kind("DOC") and _DECLARATION.search(tokens.word(number)):
            start = tokens.starts[number]
            message, note = 'this `"""` is not closed before the next declaration', "the text begins here"
            return _fault(segment, "unclosed-text", message, Span(start, start + 3), note=note)
    return None


_LET = "give parts of it names with `let`"


def _fault(
    segment: Segment,
    code: str,
    message: str,
    span: Span,
    *,
    note: str = "",
    labels: tuple[Label, ...] = (),
    help: str | None = None,
) -> Diagnostic:
    return Diagnostic(code, message, segment.source, span, note, labels, help)


# --- what the lexer found -----------------------------------------------------------------------------------


def lexical(source: Source, tokens: Tokens) -> list[Diagnostic]:
    """What was read by guessing what was meant: one diagnostic for each habit, at its first place."""
    habits: dict[str, list[Fault]] = {}
    for fault in tokens.faults:
        if fault.kind in ("foreign", "slashes", "quote", "noise"):
            word = source.text[fault.start : fault.end] if fault.kind == "foreign" else fault.kind
            habits.setdefault(word, []).append(fault)
    return [_habit(source, word, faults) for word, faults in habits.items()]


def _habit(source: Source, word: str, faults: list[Fault]) -> Diagnostic:
    first = faults[0]
    span = Span(first.start, first.end)
    text = source.text[first.start : first.end]
    note = f"and in {len(faults) - 1} more places" if len(faults) > 2 else ""
    note = "and in one more place" if len(faults) == 2 else note
    if word == "slashes":
        message, help = "a comment begins with `#`", "write `# ...`"
    elif word == "quote":
        message, help = "a text stands in double quotes", f'write "{text[1:-1]}"'
    elif word == "noise":
        message, help = "nothing stands between declarations or fields", "take the `;` out"
    else:
        message, help = f"`{text}` is written `{FOREIGN[text]}`", f"write `{FOREIGN[text]}`"
    return Diagnostic("foreign-sign", message, source, span, note, help=help)


def _unreadable(source: Source, fault: Fault) -> Diagnostic:
    text = source.text[fault.start : fault.end]
    if fault.kind == "doc":
        span = Span(fault.start, fault.start + 3)
        return Diagnostic("unclosed-text", 'this `"""` is never closed', source, span, "the text begins here")
    if fault.kind == "text":
        line = text.rstrip()
        span = Span(fault.start, fault.start + len(line))
        message = "this text is not closed on its line"
        return Diagnostic("unclosed-text", message, source, span, help=f"write a `{text[0]}` at its end")
    span = Span(fault.start, fault.end)
    letter = text[0]
    if letter in "“”„‘’`´«»":
        return Diagnostic("foreign-sign", 'a text stands in straight double quotes: `"`', source, span)
    shown = f"`{letter}`" if letter.isprintable() else f"the character U+{ord(letter):04X}"
    help = "names are made of the letters a to z, digits and `_`" if letter.isalpha() else None
    help = "in a comment or a text any character may stand" if help is None and letter.isprintable() else help
    return Diagnostic("illegal-character", f"{shown} means nothing here", source, span, help=help)


# --- habits and misspellings with a message of their own ----------------------------------------------------


def _special(segment: Segment, at: int) -> Diagnostic | None:
    tokens = segment.tokens
    head = segment.first + segment.has_caption()
    word = tokens.word(at)
    if segment.start == "file" and at == head and at < segment.end and word not in DECLARING:
        return _undeclared(segment, at)
    if at == head + 1 and word == "=" and tokens.word(head) == "seeds":
        return _fault(
            segment, "unexpected", "`seeds` takes no `=`", segment.span(at), help="write `seeds 0..9`"
        )
    if word == "." and tokens.kinds[at + 1] in (kind("NUMBER"), kind("QUANTITY")):
        number = tokens.word(at + 1)
        if tokens.starts[at + 1] == tokens.ends[at]:
            span = Span(tokens.starts[at], tokens.ends[at + 1])
            return _fault(
                segment, "bad-number", "a number begins with a digit", span, help=f"write `0.{number}`"
            )
    if at == head + 1 and tokens.word(head) == "import" and tokens.kinds[at] == kind("NAME"):
        help = f'write `import "{word}.gen" as {word}`'
        return _fault(
            segment, "missing-value", "the file to import stands in quotes", segment.span(at), help=help
        )
    if word.isdecimal() and tokens.word(at - 1) == "at" and tokens.word(head) in ("seeds", "preset"):
        return _fault(
            segment,
            "missing-value",
            "`most` is missing after `at`",
            segment.gap(at),
            help=f"write `at most {word}`",
        )
    if tokens.kinds[at] == kind("NUMBER") and tokens.word(at - 1) == "at" and at > head:
        level = float(word.replace("_", ""))
        help = f"write `at {100 * level if level <= 1 else level:g}%`"
        return _fault(
            segment, "missing-sign", "the level of a claim is in percent", segment.span(at), help=help
        )
    return None


def _undeclared(segment: Segment, at: int) -> Diagnostic:
    tokens, word = segment.tokens, segment.tokens.word(at)
    span = segment.span(at)
    if word in CLOSERS:
        return _fault(segment, "unexpected", f"this `{word}` closes nothing", span, help="take it out")
    following = tokens.word(at + 1) if at + 1 < segment.end else ""
    close = nearest(word, DECLARING)
    is_name = tokens.kinds[at] == kind("NAME")
    if is_name and following not in ("=", ":", "{", "in", "extends") and close:
        message = f"`{word}` is not a declaring word"
        return _fault(segment, "unknown-declaration", message, span, help=f"did you mean `{close}`?")
    if is_name and following in ("=", ":", "{", "in", "extends"):
        message = f"a declaring word is missing before `{word}`"
        is_typed = at + 3 < segment.end and tokens.word(at + 3) == "="
        guess = {":": "param" if is_typed else "claim", "in": "sweep"}.get(following)
        help = f"write `{guess} {word}`" if guess else _DECLARE
        return _fault(segment, "unknown-declaration", message, span, help=help)
    message = f"{_shown(segment, at)} does not begin a declaration"
    return _fault(segment, "unknown-declaration", message, span, help=_DECLARE)


_UNTIL = "write `until decided, at most 80`"
_DECLARE = "write what it is: `model`, `dataset`, `train`, `analysis`, `claim` ..."


# --- repair -------------------------------------------------------------------------------------------------


def _repaired(segment: Segment, at: int, kinds: list[int], local: int) -> Diagnostic | None:
    trial = Trial(kinds, local, segment.start)
    repair = next(trial.repairs(segment, at), None)
    is_chained = segment.tokens.word(at) in COMPARISONS and repair is not None and repair.word in BETWEEN
    return _message(segment, repair, trial) if repair and not is_chained else None


def _message(segment: Segment, repair: Repair, trial: Trial) -> Diagnostic:
    if repair.way == "add":
        return _missing(segment, repair, trial)
    span = segment.span(repair.at)
    word = segment.tokens.word(repair.at)
    if repair.way == "exchange" and repair.word == "NAME" and (word in DECLARING or word in RESERVED):
        message = f"`{word}` is a word of the language and cannot be a name"
        return _fault(segment, "reserved-word", message, span, help=f"write `{word}_`, or another name")
    if repair.way == "exchange" and word in CLOSERS:
        unclosed = segment.unclosed()
        labels = (Label(segment.span(unclosed[0]), "opened here"),) if unclosed else ()
        message = f"this should be `{repair.word}`"
        return _fault(segment, "unclosed-bracket", message, span, labels=labels)
    if repair.way == "exchange" and word in (":", "=", "=="):
        sign = "==" if repair.word == "COMPARE" else repair.word
        message = f"`{sign}` belongs here, not `{word}`"
        return _fault(segment, "foreign-sign", message, span, help=f"write `{sign}`")
    return _unexpected(segment, repair.at)


def _missing(segment: Segment, repair: Repair, trial: Trial) -> Diagnostic:
    at, word = repair.at, repair.word
    gap, before = segment.gap(at), segment.tokens.word(at - 1) if at > segment.first else ""
    if word in CLOSERS:
        return _unclosed(segment, at, word)
    if word in OPENERS and word != "{":
        shown = _shown(segment, at - 1)
        help = _joined(segment, at, word)
        return _fault(segment, "missing-sign", f"`{word}` is missing after {shown}", gap, help=help)
    if word == "NAME":
        return _missing_name(segment, at, before)
    if word == "STRING":
        help = 'write the file in double quotes: `import "common.gen" as common`'
        return _fault(segment, "missing-value", f"the file is missing after `{before}`", gap, help=help)
    if word == "QUANTITY":
        return _fault(segment, "missing-value", "the level is missing after `at`", gap, help="write `at 95%`")
    if " " in word:
        name = segment.tokens.word(at - 1)
        sign = word.split()[0]
        message = f"`{name}` has no value" if sign in "=:" else f"`{sign}` is missing after `{name}`"
        return _fault(segment, "missing-value", message, gap, help=f"write `{sign} ...`")
    choices = [sign for sign in (",", ".", "=", "+") if trial.works(at - segment.first, (sign,))]
    is_listed = "," in choices and segment.bracket(at) == "["
    if word in OPERATORS or (len(choices) > 1 and not is_listed):
        what = "an operator" if choices in ([], ["+"]) else "something"
        message = f"{what} is missing between {_shown(segment, at - 1)} and {_shown(segment, at)}"
        names = [f"`{sign}`" for sign in choices if sign != "+"]
        help = f"{', '.join(names)} or an operator could stand here" if names else None
        return _fault(segment, "missing-sign", message, gap, help=help)
    sign = "," if is_listed else word
    message = f"`{sign}` is missing after {_shown(segment, at - 1)}"
    return _fault(segment, "missing-sign", message, gap, help=_joined(segment, at, sign))


def _joined(segment: Segment, at: int, sign: str) -> str | None:
    """What to write: the parts around the place with the missing sign between."""
    tokens = segment.tokens
    after = tokens.word(at) if at < segment.end else "..."
    if "\n" in after or len(after) > 30:
        return None
    before = tokens.word(at - 1)
    if sign == "=" and segment.bracket(at) == "(":
        return f"write `{before}={after}`"
    spaces = {",": ", ", ":": ": ", "(": "(", "[": "[", ".": "."}.get(sign, f" {sign} ")
    return f"write `{before}{spaces}{after}`"


def _missing_name(segment: Segment, at: int, before: str) -> Diagnostic:
    gap = segment.gap(at)
    if before in DECLARING and segment.tokens.word(at) != "." and at <= segment.first + 2:
        return _fault(segment, "missing-name", f"a name is missing after `{before}`", gap)
    if before == "until":
        return _fault(segment, "missing-value", "`decided` is missing after `until`", gap, help=_UNTIL)
    if before in (".", "extends", "as", "for"):
        return _fault(segment, "missing-name", f"a name is missing after `{before}`", gap)
    if segment.tokens.word(at) == "=" and before not in ("(", ",", "="):
        return _fault(segment, "missing-name", "a field is missing before `=`", segment.span(at))
    where = f" after {_shown(segment, at - 1)}" if at > segment.first else ""
    return _fault(segment, "missing-value", f"a value is missing{where}", gap)


def _unclosed(segment: Segment, at: int, closer: str) -> Diagnostic:
    unclosed = segment.unclosed()
    opener = CLOSERS[closer]
    labels: tuple[Label, ...] = ()
    if unclosed and segment.tokens.word(unclosed[0]) == opener:
        labels = (Label(segment.span(unclosed[0]), "opened here"),)
    message, note = f"this `{opener}` is never closed", f"`{closer}` is missing here"
    return _fault(segment, "unclosed-bracket", message, segment.gap(at), note=note, labels=labels)


def _unexpected(segment: Segment, at: int) -> Diagnostic:
    word = segment.tokens.word(at) if at < segment.end else ""
    unclosed = segment.unclosed()
    if unclosed and at >= unclosed[1]:
        return _unclosed(segment, unclosed[1], OPENERS[segment.tokens.word(unclosed[0])])
    if not word:
        return _fault(segment, "unexpected", "this declaration is not finished", segment.gap(segment.end))
    if word in CLOSERS:
        return _fault(segment, "unexpected", f"this `{word}` closes nothing", segment.span(at))
    if word in COMPARISONS:
        return _fault(
            segment,
            "unexpected",
            "comparisons cannot be chained",
            segment.span(at),
            help="join two with `and`",
        )
    message = f"{_shown(segment, at)} cannot stand here"
    stray = segment.stray()
    if stray is None:
        return _fault(segment, "unexpected", message, segment.span(at))
    closer = segment.tokens.word(stray)
    labels = (Label(segment.span(stray), "this closes nothing"),)
    help = f"is a `{CLOSERS[closer]}` missing before it?"
    return _fault(segment, "unexpected", message, segment.span(at), labels=labels, help=help)


def _shown(segment: Segment, at: int) -> str:
    """A token as a message names it."""
    if at >= segment.end:
        return "the end"
    word = segment.tokens.word(at)
    if segment.tokens.kinds[at] == kind("DOC"):
        return "the text"
    return f"`{word}`" if len(word) <= 40 else f"`{word[:30]}...`"
