"""The pages: a list of runs, a run in progress, finished reports."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

import gendsl_runtime
from gendsl_runtime.progress.reading import Record, record, record_ids
from gendsl_runtime.serve.guard import Guard
from gendsl_runtime.serve.shelf import Shelf, policy

HERE = Path(__file__).parent
REPORT = Path(gendsl_runtime.__file__).parent / "report"


def application(store: Path, *, token: str) -> ASGIApp:
    """Everything that is served of a store, behind a token."""
    shelf = Shelf(store)
    page = (HERE / "live.html").read_bytes()
    script = (REPORT / "theme.js").read_bytes() + (HERE / "live.js").read_bytes()
    style = (REPORT / "page.css").read_bytes() + (HERE / "live.css").read_bytes()

    def runs(request: Request) -> Response:
        found = [record(store, name) for name in record_ids(store)]
        lives = [listed(one) for one in found if one is not None]
        is_there = store.is_dir()
        return JSONResponse({"store": str(store), "isThere": is_there, "live": lives, "runs": shelf.runs()})

    def plan(request: Request) -> Response:
        return JSONResponse(_found(store, request.path_params["name"]).plan)

    def state(request: Request) -> Response:
        one = _found(store, request.path_params["name"])
        stamp = f'"{one.state["updated"]}-{one.state["ended"]}"'
        if request.headers.get("if-none-match") == stamp:
            return Response(status_code=304, headers={"etag": stamp})
        return JSONResponse({**one.state, "progress": one.share}, headers={"etag": stamp})

    def report(request: Request) -> Response:
        content = shelf.report(request.path_params["name"])
        if content is None:
            raise HTTPException(404)
        headers = {"content-security-policy": policy(content)}
        return Response(content, media_type="text/html", headers=headers)

    def fixed(content: bytes, kind: str) -> Any:
        return lambda request: Response(content, media_type=kind)

    routes = [
        Route("/", fixed(page, "text/html")),
        Route("/live.js", fixed(script, "text/javascript")),
        Route("/live.css", fixed(style, "text/css")),
        Route("/api/runs", runs),
        Route("/api/live/{name}/plan", plan),
        Route("/api/live/{name}/state", state),
        Route("/runs/{name}/report.html", report),
    ]
    app = Starlette(routes=routes)
    app.router.redirect_slashes = False
    return Guard(app, token=token)


def listed(one: Record) -> Mapping[str, Any]:
    """What a list says of a run in progress."""
    return {
        "id": one.id,
        "name": one.plan["name"],
        "title": one.plan["title"],
        "started": one.plan["started"],
        "seconds": one.state["seconds"],
        "left": one.state["left"],
        "stage": one.state["stage"],
        "ended": one.state["ended"],
        "run": one.state["run"],
        "progress": one.share,
    }


def _found(store: Path, name: str) -> Record:
    one = record(store, name)
    if one is None:
        raise HTTPException(404)
    return one
