"""Every text of a run is hostile, and the report and the comparison of it do nothing but show it, in headless Chromium.

A text that came to life would set `window.taken`, open a dialog, ask for an address or raise an error in the console.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gendsl.spec import Axis, Spec
from gendsl_runtime.record import Failure
from gendsl_runtime.report.compared import comparison_page
from gendsl_runtime.report.comparison import compare
from gendsl_runtime.report.render import render_report
from gendsl_runtime.results import Results
from tests.browser.chromium import CHROMIUM, MISSING, Tab, tab
from tests.runtime.reported import PLOTS, results

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason=MISSING)
ATTACKS = {
    "script": "</script></style></title></svg></textarea><script>window.taken=1;alert(1)</script>",
    "attribute": "\" onmouseover=\"window.taken=1\" autofocus onfocus='window.taken=1' ' x=`",
    "element": "<img src=x onerror=window.taken=1><svg onload=window.taken=1><iframe src=http://127.0.0.1:9/x>",
    "address": "javascript:window.taken=1//http://127.0.0.1:9/a data:text/html,<script>window.taken=1</script>",
    "style": "</style><style>*{background:url(http://127.0.0.1:9/b)}</style>x:expression(window.taken=1);"
    "@import 'http://127.0.0.1:9/c'",
    "template": "{{7*7}}{% for x in ().__class__.__base__.__subclasses__() %}{{x}}{% endfor %}${7*7}#{7*7}<%=7*7%>",
    "expression": "datum']+(window.taken=1)+datum['x \\u0027); [].constructor.constructor('window.taken=1')() //",
    "comment": "<!--<script>--><!-- --!> ]]> \\\u2028\u2029\u202e </p>\x00\x07",
    "entity": "&lt;script&gt;window.taken=1&lt;/script&gt; &#x3c;b&#x3e; \\x3cscript\\x3e",
}
STIR = """(async () => {
  document.querySelectorAll('details').forEach((one) => { one.open = true; });
  HTMLAnchorElement.prototype.click = function () {};
  for (const node of document.querySelectorAll('body *')) {
    if (['SCRIPT', 'STYLE'].includes(node.tagName)) continue;
    for (const kind of ['mouseover', 'mousemove', 'focus', 'pointerover']) node.dispatchEvent(new MouseEvent(kind, {bubbles: true}));
  }
  document.querySelectorAll('button').forEach((one) => one.click());
  await new Promise((next) => setTimeout(next, 500));
  return [window.taken === undefined,
    document.querySelectorAll('main script:not([type="application/json"]), iframe, img, style ~ style').length,
    [...document.querySelectorAll('*')].filter((one) => [...one.attributes].some((of) => of.name.startsWith('on'))).length,
    [...document.querySelectorAll('a[href]')].filter((one) => !/^(#|https:)/.test(one.getAttribute('href'))).length];
})()"""  # noqa: E501


def hostile(attack: str) -> Results:
    """Results all of whose texts are the attack."""
    base = results()
    labels = (attack, f"{attack} 20%")
    noise = base.spec.axes["noise"].model_copy(update={"labels": labels})
    axes: dict[str, Axis] = {**base.spec.axes, "noise": noise}
    captioned = {name: step.model_copy(update={"caption": attack}) for name, step in base.spec.steps.items()}
    plots = tuple(plot.model_copy(update={"caption": attack}) for plot in PLOTS)
    claims = tuple(
        claim.model_copy(update={"caption": attack, "text": f"{claim.text} // {attack}"})
        for claim in base.spec.claims
    )
    changes = {
        "title": attack,
        "about": attack,
        "text": attack,
        "path": attack,
        "paper": (attack, "neyshabur2015search"),
    }
    changed = results(axes=axes, steps=captioned, plots=plots, claims=claims, preset=attack, **changes)
    assert changed.record is not None
    failures = tuple(
        Failure(step, {"width": 4, "noise": labels[1], "seed": 3}, attack) for step in ("fit", "gap")
    )
    record = replace(
        changed.record,
        run=attack,
        device=attack,
        command=("gen", "run", attack),
        versions={attack: attack},
        machine={attack: attack},
        failures=failures,
    )
    verdicts = tuple(
        replace(one, text=attack, caption=attack, kind=attack, unit=attack, reason=attack, warnings=(attack,))
        for one in changed.verdicts
    )
    found = replace(changed, record=record, verdicts=verdicts, failures=failures)
    for dataset in found.values():
        for variable in dataset.data_vars.values():
            variable.attrs["unit"] = attack
    return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Tab]:
    with tab() as found:
        found.size(1200, 900)
        yield found


def stirred(browser: Tab, path: Path) -> None:
    """Opens the page, points at and presses everything in it, and finds that nothing came of it."""
    del browser.said[:], browser.asked[:], browser.dialogs[:]
    browser.open(path).settled()
    assert browser.value(STIR) == [True, 0, 0, 0]
    outside = [
        address for address in browser.asked if not address.startswith(("file:", "data:image/png", "blob:"))
    ]
    assert (outside, browser.said, browser.dialogs) == ([], [], [])
    assert browser.value("document.querySelectorAll('[data-failed]').length") == 0


@pytest.mark.parametrize("name", ATTACKS)
def test_a_report_of_hostile_texts_only_shows_them(name: str, browser: Tab, tmp_path: Path) -> None:
    path = render_report(hostile(ATTACKS[name]), tmp_path)
    stirred(browser, path)
    shown = browser.value("document.querySelector('h1').textContent")
    assert _letters(shown) == _letters(ATTACKS[name])


def _letters(text: str) -> str:
    """What is seen of a text: no white space, no control characters (NUL becomes U+FFFD in HTML)."""
    return "".join(letter for letter in text if letter.isprintable() and letter not in " \ufffd")


@pytest.mark.parametrize("name", ATTACKS)
def test_a_comparison_of_hostile_runs_only_shows_them(name: str, browser: Tab, tmp_path: Path) -> None:
    attack = ATTACKS[name]
    path = tmp_path / "compared.html"
    path.write_text(comparison_page(compare([attack, f"{attack}2"], [hostile(attack), results()])), "utf-8")
    stirred(browser, path)


def test_a_living_text_would_be_noticed(browser: Tab, tmp_path: Path) -> None:
    """The net of these tests catches: without escaping and policy each attack of elements and scripts is seen."""
    path = tmp_path / "open.html"
    path.write_text(
        f"<!doctype html><p>{ATTACKS['script']}{ATTACKS['element']}{ATTACKS['style']}<p>x", "utf-8"
    )
    del browser.said[:], browser.asked[:], browser.dialogs[:]
    browser.open(path).settled(0.5)
    assert browser.value("window.taken") == 1
    assert browser.dialogs == ["1"]
    assert any("127.0.0.1:9" in address for address in browser.asked)


def test_the_policy_refuses_the_network_and_text_as_code(browser: Tab, tmp_path: Path) -> None:
    browser.open(render_report(results(), tmp_path)).settled()
    refused = browser.value("""(async () => {
      const said = [];
      addEventListener('securitypolicyviolation', (event) => said.push(event.effectiveDirective));
      const frame = document.createElement('iframe');
      frame.src = 'http://127.0.0.1:9/f';
      document.body.append(frame);
      const script = document.createElement('script');
      script.textContent = 'window.taken = 1';
      document.body.append(script);
      const picture = new Image();
      picture.src = 'http://127.0.0.1:9/p';
      await fetch('http://127.0.0.1:9/q').catch(() => 0);
      document.body.setAttribute('onclick', 'window.taken = 1');
      document.body.click();
      await new Promise((next) => setTimeout(next, 300));
      return [window.taken === undefined, said.sort().join()];
    })()""")
    assert refused == [True, "connect-src,frame-src,img-src,script-src-attr,script-src-elem"]


def test_specs_hold_the_texts_that_are_tried(browser: Tab) -> None:
    """A new text of a spec must be tried, too: these are all the fields that hold free text."""
    texts = {
        name
        for name, field in Spec.model_fields.items()
        if field.annotation in (str, str | None, tuple[str, ...])
    }
    assert texts <= {"name", "title", "path", "text", "about", "paper", "preset", "show", "catalogue"}
