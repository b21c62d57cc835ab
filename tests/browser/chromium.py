"""Headless Chromium over its debugging pipe: real keys, real paper, and everything a page did while it was open.

The protocol (https://chromedevtools.github.io/devtools-protocol/) is JSON texts that end in a NUL, over two pipes that
the browser opens as descriptors 3 and 4; so a test needs neither a driver nor a web socket.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
MISSING = "no Chromium here: `apt-get install chromium` to run these"
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)
KEYS = {"Tab": 9, "Enter": 13, "Escape": 27, " ": 32, "Home": 36, "ArrowLeft": 37, "ArrowRight": 39}
TEXTS = {"Enter": "\r", " ": " "}
PATIENCE = 60.0
"""Seconds that any one answer may take."""


@dataclass
class Tab:
    """One page. `asked`, `said` and `dialogs` grow as it asks for addresses, logs, and opens dialogs."""

    to_browser: int
    from_browser: int
    session: str = ""
    asked: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)
    loaded: int = 0
    _count: int = 0
    _rest: bytes = b""
    _answers: dict[int, dict[str, Any]] = field(default_factory=dict)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """The answer of the browser to one command."""
        number = self._send(method, parameters)
        self._until(lambda: number in self._answers)
        answer = self._answers.pop(number)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        result: dict[str, Any] = answer["result"]
        return result

    def value(self, script: str) -> Any:
        """What an expression is worth in the page; a promise is waited for. The page's policy does not bind it."""
        options = {"awaitPromise": True, "returnByValue": True, "userGesture": True}
        found = self.call("Runtime.evaluate", expression=script, **options)
        if "exceptionDetails" in found:
            raise RuntimeError(found["exceptionDetails"].get("exception", {}).get("description", "it threw"))
        return found["result"].get("value")

    def wait(self, script: str) -> None:
        """Waits until an expression is true."""
        end = time.monotonic() + PATIENCE
        while not self.value(f"Boolean({script})"):
            if time.monotonic() > end:
                raise TimeoutError(f"never true: {script}")
            time.sleep(0.02)

    def open(self, page: Path | str) -> Tab:
        """Loads a page and waits for its `load` event."""
        count = self.loaded
        self.call("Page.navigate", url=page.as_uri() if isinstance(page, Path) else page)
        self._until(lambda: self.loaded > count)
        return self

    def key(self, name: str, *, shift: bool = False) -> None:
        """Presses and lets go of one key."""
        code = {"key": name, "code": {" ": "Space"}.get(name, name), "windowsVirtualKeyCode": KEYS[name]}
        code["modifiers"] = 8 if shift else 0
        text = {"text": TEXTS[name]} if name in TEXTS else {}
        self.call("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", **code, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", **code)

    def size(self, width: int, height: int, *, scale: float = 1, is_phone: bool = False) -> None:
        """Sets the size of the window in CSS pixels."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=scale,
            mobile=is_phone,
        )

    def media(self, *, scheme: str = "light", medium: str = "") -> None:
        """Emulates the system's light or dark theme, and `print` as medium."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.call("Emulation.setEmulatedMedia", media=medium, features=features)

    def picture(self, path: Path, *, is_whole: bool = True) -> Path:
        """A PNG of the page, whole or as far as the window shows it."""
        found = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=is_whole)
        path.write_bytes(base64.b64decode(found["data"]))
        return path

    def paper(self) -> bytes:
        """The page as PDF, as printing makes it."""
        found = self.call("Page.printToPDF", printBackground=True, preferCSSPageSize=True)
        return base64.b64decode(found["data"])

    def settled(self, seconds: float = 0.2) -> Tab:
        """Waits until a report has drawn everything, and then a little for what would come late."""
        self.wait("!document.querySelector('[data-figure]') || 'whole' in document.body.dataset")
        time.sleep(seconds)
        self.value("0")
        return self

    def _send(self, method: str, parameters: dict[str, Any]) -> int:
        self._count += 1
        message = {"id": self._count, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        content = json.dumps(message).encode() + b"\0"
        while content:
            content = content[os.write(self.to_browser, content) :]
        return self._count

    def _until(self, is_done: Any) -> None:
        end = time.monotonic() + PATIENCE
        while not is_done():
            ready, _, _ = select.select([self.from_browser], [], [], max(0.0, end - time.monotonic()))
            if not ready:
                raise TimeoutError("the browser does not answer")
            read = os.read(self.from_browser, 1 << 20)
            if not read:
                raise RuntimeError("the browser has ended")
            self._rest += read
            *whole, self._rest = self._rest.split(b"\0")
            for text in whole:
                self._take(json.loads(text))

    def _take(self, message: dict[str, Any]) -> None:
        if "id" in message:
            self._answers[message["id"]] = message
            return
        content = message["params"]
        match message["method"]:
            case "Network.requestWillBeSent":
                self.asked.append(content["request"]["url"])
            case "Network.webSocketCreated":
                self.asked.append(content["url"])
            case "Runtime.consoleAPICalled":
                self.said.append(" ".join(str(one.get("value", "")) for one in content["args"]))
            case "Runtime.exceptionThrown":
                details = content["exceptionDetails"]
                self.said.append(details.get("exception", {}).get("description") or details["text"])
            case "Log.entryAdded":
                self.said.append(content["entry"]["text"])
            case "Page.javascriptDialogOpening":
                self.dialogs.append(content["message"])
                self._send("Page.handleJavaScriptDialog", {"accept": False})
            case "Page.loadEventFired":
                self.loaded += 1


@contextmanager
def tab(*options: str) -> Iterator[Tab]:
    """A browser with one empty page and a profile of its own; it ends with the block."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        pipes = [*os.pipe(), *os.pipe()]
        # Above 9, so that putting one of them at 3 or 4 overwrites none.
        theirs, to_browser, from_browser, theirs_too = (
            fcntl.fcntl(one, fcntl.F_DUPFD_CLOEXEC, 10) for one in pipes
        )
        command = [str(CHROMIUM), *OPTIONS, f"--user-data-dir={profile}", *options, "about:blank"]
        quiet = [(os.POSIX_SPAWN_OPEN, one, os.devnull, os.O_RDWR, 0) for one in (1, 2)]
        moved = [(os.POSIX_SPAWN_DUP2, theirs, 3), (os.POSIX_SPAWN_DUP2, theirs_too, 4)]
        browser = os.posix_spawn(command[0], command, os.environ, file_actions=[*quiet, *moved])
        for one in (*pipes, theirs, theirs_too):
            os.close(one)
        try:
            yield _attached(Tab(to_browser, from_browser))
        finally:
            os.close(to_browser)
            os.close(from_browser)
            _end(browser)


def _end(browser: int) -> None:
    """Waits for the browser to end, as it does when its pipes close; ends it where it does not."""
    for _ in range(500):
        if os.waitpid(browser, os.WNOHANG)[0]:
            return
        time.sleep(0.02)
    os.kill(browser, signal.SIGKILL)
    os.waitpid(browser, 0)


def _attached(made: Tab) -> Tab:
    pages = made.call("Target.getTargets")["targetInfos"]
    target = next(page["targetId"] for page in pages if page["type"] == "page")
    made.session = made.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
    for domain in ("Page", "Runtime", "Network", "Log"):
        made.call(f"{domain}.enable")
    return made
