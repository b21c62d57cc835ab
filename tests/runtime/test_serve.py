"""The server: who is let in, what is served and to whom, asked in this process as ASGI has it."""

from __future__ import annotations

import asyncio
import http.client
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gendsl_runtime.progress.reading import record, record_ids
from gendsl_runtime.report.render import render_report
from gendsl_runtime.serve.app import application
from gendsl_runtime.serve.guard import HEADERS
from gendsl_runtime.serve.shelf import policy
from tests.runtime.reported import results
from tests.runtime.watched import kept

TOKEN = "a-token-of-this-test"
HOST = "127.0.0.1:8000"
SECRET = "not to be read"


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def content(self) -> Any:
        return json.loads(self.body)


class Client:
    """Asks an application without a network, so that every byte of the question is ours."""

    def __init__(self, store: Path) -> None:
        self.app = application(store, token=TOKEN)

    def ask(
        self,
        path: str,
        *,
        method: str = "GET",
        host: str | None = HOST,
        token: str | None = TOKEN,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> Answer:
        own = [("host", host)] if host is not None else []
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": f"/{token}{path}" if token is not None else path,
            "raw_path": b"",
            "root_path": "",
            "query_string": b"",
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in (*own, *headers)],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 8000),
        }
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        asyncio.run(self.app(scope, receive, send))
        start = sent[0]
        found = {name.decode(): value.decode() for name, value in start["headers"]}
        return Answer(start["status"], found, b"".join(part.get("body", b"") for part in sent[1:]))


@pytest.fixture
def store(tmp_path: Path) -> Path:
    place = tmp_path / "store"
    (place / "runs").mkdir(parents=True)
    (tmp_path / "secret.txt").write_text(SECRET)
    (place / "secret.txt").write_text(SECRET)
    return place


@pytest.fixture
def client(store: Path) -> Client:
    return Client(store)


def finished(store: Path, name: str = "tiny-001", *, report: str | None = None) -> Path:
    """A finished run."""
    folder = store / "runs" / name
    folder.mkdir(parents=True)
    content = {
        "spec": {"title": "A finished run"},
        "record": {"started": "2026-11-21T10:00:00+00:00", "seconds": 3.0},
        "verdicts": [{"outcome": "supported"}, {"outcome": "undecided"}],
        "failures": [],
    }
    (folder / "results.json").write_text(json.dumps(content))
    (folder / "report.html").write_text(report or "<!doctype html><title>A report</title>")
    return folder


# --- who is let in -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "token", [None, "", "a-token-of-this-tes", TOKEN.upper(), f"{TOKEN}x", "ä", "\udcff", "%61"]
)
def test_without_the_token_nothing_is_served(client: Client, token: str | None) -> None:
    for path in ("/", "/live.js", "/api/runs", "/runs/tiny-001/report.html"):
        answer = client.ask(path, token=token)
        assert answer.status == 403
        assert b"gen serve" in answer.body and TOKEN.encode() not in answer.body
    assert client.ask("/").status == 200


def test_tokens_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch, client: Client) -> None:
    seen = []
    monkeypatch.setattr(
        "gendsl_runtime.serve.guard.hmac.compare_digest", lambda a, b: bool(seen.append((a, b)))
    )
    assert client.ask("/").status == 403
    assert seen == [(TOKEN.encode(), TOKEN.encode())]


@pytest.mark.parametrize("host", [HOST, "localhost", "localhost:9", "127.0.0.1", "[::1]:8000"])
def test_names_of_this_machine_are_served(client: Client, host: str) -> None:
    assert client.ask("/", host=host).status == 200


@pytest.mark.parametrize(
    "host",
    [
        None,
        "",
        "evil.example",
        "evil.example:8000",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "127.0.0.1:8000@evil.example",
        "127.0.0.1:8000 evil.example",
        "0.0.0.0",
        "127.0.0.1:999999",
        "localhost:8000\n",
        "LOCALHOST:٣",
    ],
)
def test_other_names_are_refused_even_with_the_token(client: Client, host: str | None) -> None:
    if host is not None and not host.isascii():
        host = host.encode().decode("latin-1")
    assert client.ask("/", host=host).status == 421


def test_two_names_are_refused(client: Client) -> None:
    assert client.ask("/", headers=(("host", "evil.example"),)).status == 421


@pytest.mark.parametrize(
    "method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "get", "X"]
)
def test_only_reading(client: Client, method: str) -> None:
    answer = client.ask("/api/runs", method=method)
    assert answer.status == 405
    assert answer.headers["allow"] == "GET, HEAD"


def test_no_other_site_may_read_answers(client: Client) -> None:
    answer = client.ask("/api/runs", headers=(("origin", "http://evil.example"),))
    assert answer.status == 200
    assert not [name for name in answer.headers if name.startswith("access-control")]
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"


# --- what a browser may do with it -------------------------------------------------------------------------------


def test_every_answer_says_what_a_browser_may_do(store: Path, client: Client) -> None:
    finished(store)
    asked = [
        client.ask(path, **options)
        for path in ("/", "/live.js", "/live.css", "/api/runs", "/nothing", "/runs/tiny-001/report.html")
        for options in (
            {},
            {"token": "wrong"},
            {"host": "evil.example"},
            {"method": "POST"},
            {"method": "HEAD"},
        )
    ]
    assert {answer.status for answer in asked} == {200, 403, 404, 405, 421}
    for answer in asked:
        assert set(HEADERS) <= set(answer.headers)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        own = answer.headers["content-security-policy"]
        assert "default-src 'none'" in own and "frame-ancestors 'none'" in own
        assert "unsafe-eval" not in own
        assert "'unsafe-inline'" not in own.partition("script-src")[2].partition(";")[0]


def test_the_page_has_no_script_of_its_own_and_makes_no_markup_of_text() -> None:
    folder = Path(__file__).parents[2] / "runtime/gendsl_runtime/serve"
    page, script = (folder / "live.html").read_text(), (folder / "live.js").read_text()
    assert re.findall(r"<script[^>]*>", page) == ['<script src="live.js" defer>']
    assert not re.search(r"\son\w+=|style=|javascript:", page)
    for way in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "Function(",
        "srcdoc",
        "DOMParser",
    ):
        assert way not in script


# --- what is served ----------------------------------------------------------------------------------------------


def test_runs_are_listed(store: Path, client: Client) -> None:
    finished(store)
    kept(store, "tiny-abc", stage="computing")
    found = client.ask("/api/runs").content
    (run,), (live,) = found["runs"], found["live"]
    assert (run["run"], run["title"], run["tally"]) == (
        "tiny-001",
        "A finished run",
        {"supported": 1, "undecided": 1},
    )
    assert (live["id"], live["title"], live["progress"]) == ("tiny-abc", "A title", 0.25)
    assert live["ended"] == "killed", "nobody holds the record, and it does not say how it ended"


def test_an_empty_store_and_one_that_is_not_there(tmp_path: Path) -> None:
    found = Client(tmp_path / "nowhere").ask("/api/runs").content
    assert (found["live"], found["runs"], found["isThere"]) == ([], [], False)
    assert not (tmp_path / "nowhere").exists(), "asking changes nothing"


def test_what_has_not_changed_is_not_sent_again(store: Path, client: Client) -> None:
    folder = kept(store, "tiny-abc")
    first = client.ask("/api/live/tiny-abc/state")
    again = client.ask("/api/live/tiny-abc/state", headers=(("if-none-match", first.headers["etag"]),))
    assert (first.status, again.status, again.body) == (200, 304, b"")
    state = json.loads((folder / "state.json").read_text())
    (folder / "state.json").write_text(json.dumps({**state, "updated": 2.0}))
    changed = client.ask("/api/live/tiny-abc/state", headers=(("if-none-match", first.headers["etag"]),))
    assert changed.content["updated"] == 2.0


def test_reports_are_served_with_the_scripts_they_name_and_apart_from_all_else(
    store: Path, client: Client
) -> None:
    folder = store / "runs" / "real-001"
    folder.mkdir()
    page = render_report(results(), folder)
    (folder / "results.json").write_text("{}")
    answer = client.ask("/runs/real-001/report.html")
    assert answer.body == page.read_bytes()
    own = answer.headers["content-security-policy"]
    assert own.count("'sha256-") == 3
    assert "sandbox allow-scripts allow-downloads" in own and "allow-same-origin" not in own
    assert "connect-src 'none'" in own


@pytest.mark.parametrize(
    "claimed",
    ["script-src *", "script-src 'unsafe-inline' https://evil.example", "", "script-src 'sha256-short'"],
)
def test_a_report_cannot_ask_for_more(claimed: str) -> None:
    page = f'<meta http-equiv="Content-Security-Policy" content="{claimed}">'.encode()
    assert "script-src 'none';" in policy(page)


# --- nothing outside the store -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/runs/../secret.txt",
        "/runs/../../secret.txt",
        "/runs/%2e%2e/%2e%2e/secret.txt",
        "/runs/..%2f..%2fsecret.txt/report.html",
        "/runs/../report.html",
        "/runs/./report.html",
        "/runs//report.html",
        "/runs/..\\..\\secret.txt/report.html",
        "/runs/tiny-001/results.json",
        "/runs/tiny-001/../../secret.txt",
        "/runs/tiny-001/report.html/../results.json",
        "/runs/tiny-001/report.html\x00.txt",
        "/runs/.tiny-002/report.html",
        "//etc/passwd",
        "/api/live/../state",
        "/api/live/..%2fruns/plan",
        "/api/live/%2e%2e/plan",
        "/api/live/tiny-abc/../../secret.txt",
        "/api/live/tiny-abc/secret.txt",
        "/live.js/../../secret.txt",
        "/live.html",
    ],
)
def test_paths_lead_nowhere_else(store: Path, client: Client, path: str) -> None:
    finished(store)
    finished(store, ".tiny-002")
    kept(store, "tiny-abc")
    answer = client.ask(path)
    assert answer.status == 404
    assert SECRET.encode() not in answer.body


def test_links_are_not_followed(store: Path, client: Client, tmp_path: Path) -> None:
    outside = finished(tmp_path / "elsewhere", "other-001", report=SECRET)
    (store / "runs" / "other-001").symlink_to(outside)
    folder = finished(store)
    (folder / "report.html").unlink()
    (folder / "report.html").symlink_to(tmp_path / "secret.txt")
    assert client.ask("/runs/other-001/report.html").status == 404
    assert client.ask("/runs/tiny-001/report.html").status == 404
    record_folder = kept(tmp_path / "elsewhere", "far-abc")
    (store / "live").mkdir()
    (store / "live" / "far-abc").symlink_to(record_folder)
    near = kept(store, "near-abc")
    (near / "plan.json").unlink()
    (near / "plan.json").symlink_to(record_folder / "plan.json")
    assert record_ids(store) == ["near-abc"]
    assert client.ask("/api/live/far-abc/plan").status == 404
    assert client.ask("/api/live/near-abc/plan").status == 404


def test_a_store_behind_a_link_is_served(store: Path, tmp_path: Path) -> None:
    finished(store)
    (tmp_path / "linked").symlink_to(store)
    assert Client(tmp_path / "linked").ask("/runs/tiny-001/report.html").status == 200


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "null", '{"steps": 3}', '{"ended": "", "steps": {"a": []}, "trainings": []}']
)
def test_a_damaged_record_is_left_out(store: Path, client: Client, content: str) -> None:
    folder = kept(store, "tiny-abc")
    (folder / "state.json").write_text(content)
    assert record(store, "tiny-abc") is None
    assert client.ask("/api/runs").content["live"] == []
    assert client.ask("/api/live/tiny-abc/state").status == 404


@pytest.mark.parametrize("content", ["", "{", "[]", '{"record": null}'])
def test_a_damaged_run_is_left_out(store: Path, client: Client, content: str) -> None:
    (finished(store) / "results.json").write_text(content)
    assert client.ask("/api/runs").content["runs"] == []


# --- the real server ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int, str]]:
    """The host, port and token of `gen serve`."""
    store = tmp_path_factory.mktemp("served")
    finished(store)
    command = [sys.executable, "-c", "from gendsl_runtime.cli import main; raise SystemExit(main())"]
    server = subprocess.Popen(
        [*command, "serve", "--store", str(store)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    assert server.stdout.readline().strip() == str(store)
    address = re.fullmatch(r"http://(127\.0\.0\.1):(\d+)/([\w-]{32})/\n", server.stdout.readline())
    assert address
    yield address[1], int(address[2]), address[3]
    server.send_signal(signal.SIGINT)
    _, said = server.communicate(timeout=20)
    assert (server.returncode, said) == (0, "")


def asked(served: tuple[str, int, str], path: str, *, method: str = "GET", host: str | None = None) -> Answer:
    """What comes back for exactly this path."""
    connection = http.client.HTTPConnection(served[0], served[1], timeout=20)
    connection.putrequest(method, path, skip_host=True)
    connection.putheader("Host", host or f"{served[0]}:{served[1]}")
    connection.endheaders()
    answer = connection.getresponse()
    headers = {name.lower(): value for name, value in answer.getheaders()}
    return Answer(answer.status, headers, answer.read())


def test_the_server_serves_whom_it_should(served: tuple[str, int, str]) -> None:
    token = served[2]
    page = asked(served, f"/{token}/")
    assert page.status == 200
    assert page.headers["content-type"].startswith("text/html")
    assert "server" not in page.headers
    assert asked(served, f"/{token}/runs/tiny-001/report.html").status == 200
    head = asked(served, f"/{token}/live.js", method="HEAD")
    assert (head.status, head.body) == (200, b"")
    assert asked(served, "/").status == asked(served, "/wrong/api/runs").status == 403
    assert asked(served, f"/{token}/", host="evil.example").status == 421
    assert asked(served, f"/{token}/", method="POST").status == 405


@pytest.mark.parametrize(
    "path",
    [
        "../secret",
        "runs/%2e%2e/x/report.html",
        "runs/..%2f..%2fx/report.html",
        "runs/%00/report.html",
        "%2e%2e/%2e%2e/",
    ],
)
def test_the_server_leads_nowhere_else(served: tuple[str, int, str], path: str) -> None:
    assert asked(served, f"/{served[2]}/{path}").status == 404


def test_it_listens_on_this_machine_alone(served: tuple[str, int, str]) -> None:
    port = f"{served[1]:04X}"
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    listening = [
        line.split()[1] for line in lines if line.split()[3] == "0A" and line.split()[1].endswith(f":{port}")
    ]
    assert listening == [f"0100007F:{port}"]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "example.org", ""])
def test_other_addresses_are_refused(host: str, capsys: pytest.CaptureFixture[str]) -> None:
    from gendsl_runtime.cli import main

    with pytest.raises(SystemExit) as ended:
        main(["serve", "--host", host])
    assert ended.value.code == 2
    assert "loopback" in capsys.readouterr().err


def test_a_port_that_is_taken_is_said(
    served: tuple[str, int, str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from gendsl_runtime.cli import main

    assert main(["serve", "--port", str(served[1]), "--store", str(tmp_path)]) == 2
    assert "cannot be used" in capsys.readouterr().err


def test_the_address_is_on_no_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    from gendsl_runtime.cli import serve

    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    serve._show("http://127.0.0.1:1/secret/")
    (given,) = opened
    file = Path(given.removeprefix("file://"))
    assert "secret" not in given and "/secret/" in file.read_text()
    assert file.stat().st_mode & 0o077 == 0, "nobody else can read it"
    file.unlink()
