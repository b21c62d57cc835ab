"""`gen serve`: a local page with the runs of a store, those in progress among them."""

from __future__ import annotations

import argparse
import ipaddress
import socket
from pathlib import Path

from gendsl_runtime.cli.options import UsageError, add_store

HELP = "serve a local page with the runs of a store, live"
EXAMPLES = """\
The address that is printed holds a random token: whoever has the address can read the runs of this store, nobody else
can, and nobody can change anything. The server listens on its own machine alone; to look at it from another one, run
  ssh -L 8000:127.0.0.1:8000 MACHINE gen serve --port 8000 --store /data/results

exit codes: 0 ended with Ctrl-C, 2 the command line is wrong or the port is taken

examples:
  gen serve                         the store of this folder, on a free port
  gen serve --port 8000 --open      and show it in the browser
  gen serve --store /data/results
"""


def add(parser: argparse.ArgumentParser) -> None:
    """The arguments of `gen serve`."""
    add_store(parser)
    parser.add_argument("--port", type=port, default=0, metavar="N", help="port (any free one)")
    parser.add_argument(
        "--host", type=loopback, default="127.0.0.1", metavar="ADDRESS", help="a loopback address (127.0.0.1)"
    )
    parser.add_argument(
        "--open", action=argparse.BooleanOptionalAction, default=False, help="show the page in the browser"
    )


def port(text: str) -> int:
    """A port, as an argument; 0 for a free one."""
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"takes a number from 0 to 65535; found `{text}`")
    return int(text)


def loopback(text: str) -> str:
    """An address that only this machine can reach, as an argument."""
    try:
        address = ipaddress.ip_address("127.0.0.1" if text == "localhost" else text)
    except ValueError:
        address = None
    if address is None or not address.is_loopback:
        raise argparse.ArgumentTypeError(
            f"takes a loopback address such as 127.0.0.1 or ::1; `{text}` can be reached by others. "
            "To look at it from another machine, use a tunnel: `gen serve --help`"
        )
    return str(address)


def main(arguments: argparse.Namespace) -> int:
    """Serves until Ctrl-C."""
    import secrets

    import uvicorn

    from gendsl_runtime.serve.app import application
    from gendsl_runtime.store.place import store_place

    store = store_place(Path("here.gen"), arguments.store)
    token = secrets.token_urlsafe(24)
    with _listening(arguments.host, arguments.port) as listening:
        address = _address(listening, token)
        print(f"{store}\n{address}\nCtrl-C ends it.", flush=True)
        if arguments.open:
            _show(address)
        config = uvicorn.Config(
            application(store, token=token),
            log_level="error",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            lifespan="off",
            ws="none",
            timeout_graceful_shutdown=1,
        )
        try:
            uvicorn.Server(config).run(sockets=[listening])
        except KeyboardInterrupt:
            return 0
    return 0


def _listening(host: str, number: int) -> socket.socket:
    try:
        return socket.create_server((host, number), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise UsageError(
            f"port {number} of {host} cannot be used: {error.strerror}; leave --port out"
        ) from None


def _address(listening: socket.socket, token: str) -> str:
    host, number, *_ = listening.getsockname()
    return f"http://{f'[{host}]' if ':' in host else host}:{number}/{token}/"


def _show(address: str) -> None:
    """Opens a browser. Others can read command lines, so what it is given is a file of the user's that leads on."""
    import tempfile
    import webbrowser

    with tempfile.NamedTemporaryFile("w", suffix=".html", delete=False) as file:
        file.write(f'<!doctype html><meta http-equiv="refresh" content="0; url={address}">')
    webbrowser.open(Path(file.name).as_uri())
