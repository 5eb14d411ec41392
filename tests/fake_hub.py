"""A Hugging Face Hub on this machine: it answers what the client sends, out of memory.

Models and Spaces with branches and commits, large files apart from small ones, tokens, gated and
private repositories, commits, variables and stages of a Space; and it can fail in many ways.
"""

import asyncio
import base64
import hashlib
import json
import socket
import threading
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse, StreamingResponse

LARGE = (".safetensors", ".png", ".bin")  # what the Hub keeps by SHA-256
USERS = {"hf_alice": "alice", "hf_bob": "bob"}  # token -> account

Files = dict[str, bytes]


@dataclass
class Repo:
    private: bool = False
    gated: bool = False
    branches: dict[str, str] = field(default_factory=dict)  # name -> commit
    commits: dict[str, Files] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)  # the rest: of a Space
    hardware: str = "cpu-basic"
    stages: list[str] = field(default_factory=lambda: ["BUILDING", "APP_STARTING", "RUNNING"])
    error: str = ""


def blob_hash(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


class FakeHub:
    """Use it in a `with`; then `url` is where it is."""

    def __init__(self) -> None:
        self.repos: dict[str, Repo] = {}  # "models/alice/digits"
        self.large: Files = {}  # SHA-256 -> content, uploaded
        self.asked: list[str] = []  # "GET /api/models/alice/digits"
        self.ranges: list[str] = []  # of the downloads that began in the middle
        self.answers: dict[str, int] = {}  # part of such a line -> the status it gets
        self.bodies: dict[str, str] = {}  # file -> corrupt, short, long, cut, vanish or drip

    def __enter__(self) -> "FakeHub":
        listening = socket.socket()
        listening.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        self.server = uvicorn.Server(uvicorn.Config(self._gate(), log_level="critical"))
        self.thread = threading.Thread(target=self.server.run, args=([listening],), daemon=True)
        self.thread.start()
        while not self.server.started:
            time.sleep(0.01)
        return self

    def __exit__(self, *_: object) -> None:
        self.server.should_exit = self.server.force_exit = True
        self.thread.join(5)

    def put(self, name: str, files: Files, kind: str = "models", **about: Any) -> str:
        """A commit on main, with whatever else is known of the repository; its hash."""
        repo = self.repos.setdefault(f"{kind}/{name}", Repo())
        for key, value in about.items():
            setattr(repo, key, value)
        return self._commit(repo, {**self.files(name, kind), **files}, "put")

    def files(self, name: str, kind: str = "models") -> Files:
        """What is on main."""
        repo = self.repos[f"{kind}/{name}"]
        return repo.commits.get(repo.branches.get("main", ""), {})

    def downloads(self) -> list[str]:
        """The files asked for so far."""
        return [line.rsplit("/", 1)[1] for line in self.asked if "/resolve/" in line]

    def uploads(self) -> list[str]:
        """The requests that wrote something."""
        return [line for line in self.asked if line.startswith("PUT ") or "/commit/" in line]

    @staticmethod
    def _commit(repo: Repo, files: Files, message: str) -> str:
        about = repr([len(repo.commits), message, sorted(files)])
        commit = hashlib.sha1(about.encode()).hexdigest()
        repo.commits[commit], repo.branches["main"] = files, commit
        repo.messages.append(message)
        return commit

    def _gate(self) -> Any:
        app = FastAPI(openapi_url=None)
        app.exception_handler(Refused)(lambda _, refused: refused.answer())
        self._read_routes(app)
        self._write_routes(app)
        self._space_routes(app)

        async def gate(scope: Any, receive: Any, send: Any) -> None:
            line = f"{scope.get('method')} {scope.get('path')}"
            if scope["type"] == "http":
                self.asked.append(line)
            status = next((s for part, s in self.answers.items() if part in line), None)
            await (app if status is None else Response(status_code=status))(scope, receive, send)

        return gate

    def _find(self, request: Request, kind: str, name: str, write: bool = False) -> Repo:
        """The repository, for who may see it, or write to it.

        Raises:
            Refused: as the Hub does it.
        """
        repo, user = self.repos.get(f"{kind}/{name}"), account(request)
        owned = user == name.split("/")[0]
        if repo is None or (repo.private and not owned):
            raise Refused(404 if user else 401, "RepoNotFound")
        if write and not owned:
            raise Refused(403 if user else 401)
        return repo

    @staticmethod
    def _revision(repo: Repo, revision: str) -> str:
        commit = repo.branches.get(revision, revision)
        if commit not in repo.commits:
            raise Refused(404, "RevisionNotFound")
        return commit

    def _read_routes(self, app: FastAPI) -> None:
        @app.get("/api/{kind}/{owner}/{name}/revision/{revision:path}")
        @app.get("/api/{kind}/{owner}/{name}")
        def about(request: Request, kind: str, owner: str, name: str, revision: str = "main"):
            repo = self._find(request, kind, f"{owner}/{name}")
            commit = self._revision(repo, revision)
            siblings = []
            for path, data in repo.commits[commit].items():
                sibling = {"rfilename": path, "size": len(data), "blobId": blob_hash(data)}
                if path.endswith(LARGE):
                    hashed = hashlib.sha256(data).hexdigest()
                    pointer = {"sha256": hashed, "size": len(data), "pointerSize": 130}
                    sibling |= {"blobId": blob_hash(hashed.encode()), "lfs": pointer}
                siblings.append(sibling)
            identity = {"_id": "0", "id": f"{owner}/{name}", "sha": commit, "siblings": siblings}
            return identity | {"private": repo.private, "tags": [], "sdk": "gradio"}

        @app.get("/{owner}/{name}/resolve/{revision}/{path:path}")
        def resolve(request: Request, owner: str, name: str, revision: str, path: str):
            repo, user = self._find(request, "models", f"{owner}/{name}"), account(request)
            if repo.gated and user != owner:
                raise Refused(403 if user else 401, "GatedRepo")
            commit = self._revision(repo, revision)
            if path not in repo.commits[commit]:
                raise Refused(404, "EntryNotFound")
            headers = {"X-Repo-Commit": commit}
            if path.endswith(LARGE):  # these come from another place
                return RedirectResponse(f"/store/{owner}/{name}/{commit}/{path}", 302, headers)
            return self._body(request, path, repo.commits[commit][path], headers)

        @app.get("/store/{owner}/{name}/{commit}/{path:path}")
        def store(request: Request, owner: str, name: str, commit: str, path: str):
            data = self.repos[f"models/{owner}/{name}"].commits[commit][path]
            return self._body(request, path, data, {})

    def _body(self, request: Request, path: str, data: bytes, headers: dict) -> Response:
        how = self.bodies.get(path, "")
        data = {"corrupt": data[::-1], "short": data[:-1], "long": data + b"!"}.get(how, data)
        start = 0
        if asked := request.headers.get("range"):
            self.ranges.append(asked)
            start = int(asked.removeprefix("bytes=").rstrip("-"))
            headers = headers | {"Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"}
        rest = data[start:]

        async def pieces() -> AsyncIterator[bytes]:
            if how == "drip":
                for byte in rest:
                    yield bytes([byte])
                    await asyncio.sleep(0.05)
            elif how in ("cut", "vanish"):
                yield rest[: len(rest) // 2 + 1]
                await asyncio.sleep(0.05)
                if how == "vanish":
                    for server in self.server.servers:
                        server.close()
                raise ConnectionResetError
            else:
                yield rest

        headers = headers | {"Content-Length": str(len(rest))}
        return StreamingResponse(pieces(), 206 if asked else 200, headers)

    def _write_routes(self, app: FastAPI) -> None:
        @app.post("/api/validate-yaml")
        async def validate(request: Request):
            return {"errors": [], "warnings": []}

        @app.post("/api/repos/create")
        async def create(request: Request):
            about, user = await request.json(), account(request)
            kind, owner = about.get("type") or "model", about.get("organization") or user
            name = f"{owner}/{about['name']}"
            if user is None or user != owner:
                raise Refused(403 if user else 401)
            url = f"{self.url}/{'spaces/' if kind == 'space' else ''}{name}"
            if f"{kind}s/{name}" in self.repos:
                return JSONResponse({"error": "You already created this repo", "url": url}, 409)
            self.put(name, {".gitattributes": b"*.safetensors filter=lfs\n"}, f"{kind}s")
            repo = self.repos[f"{kind}s/{name}"]
            repo.private = about.get("visibility") == "private"
            repo.hardware = about.get("hardware") or "cpu-basic"
            repo.variables = {one["key"]: one["value"] for one in about.get("variables") or []}
            return {"url": url, "id": name}

        @app.post("/api/{kind}/{owner}/{name}/preupload/{branch}")
        async def preupload(request: Request, kind: str, owner: str, name: str, branch: str):
            self._find(request, kind, f"{owner}/{name}", write=True)
            modes = []
            for file in (await request.json())["files"]:
                mode = "lfs" if file["path"].endswith(LARGE) else "regular"
                modes.append({"path": file["path"], "uploadMode": mode, "shouldIgnore": False})
            return {"files": modes}

        @app.post("/{repo:path}.git/info/lfs/objects/batch")
        async def batch(request: Request, repo: str):
            objects = []
            for one in (await request.json())["objects"]:
                target = {"upload": {"href": f"{self.url}/large/{one['oid']}"}}
                known = one["oid"] in self.large
                objects.append(one if known else one | {"actions": target})
            return {"transfer": "basic", "objects": objects}

        @app.put("/large/{digest}")
        async def upload(request: Request, digest: str):
            data = await request.body()
            if hashlib.sha256(data).hexdigest() != digest:
                return Response(status_code=400)
            self.large[digest] = data
            return Response()

        @app.post("/api/{kind}/{owner}/{name}/commit/{branch}")
        async def commit(request: Request, kind: str, owner: str, name: str, branch: str):
            repo = self._find(request, kind, f"{owner}/{name}", write=True)
            files, message = dict(repo.commits[repo.branches[branch]]), ""
            for line in (await request.body()).splitlines():
                operation = json.loads(line)
                key, value = operation["key"], operation["value"]
                if key == "header":
                    message = value["summary"]
                    if value.get("parentCommit") not in (None, repo.branches[branch]):
                        raise Refused(412)
                elif key == "file":
                    files[value["path"]] = base64.b64decode(value["content"])
                elif key == "lfsFile":
                    files[value["path"]] = self.large[value["oid"]]
                elif key == "deletedFile":
                    del files[value["path"]]
            oid = self._commit(repo, files, message)
            return {"commitOid": oid, "commitUrl": f"{self.url}/{owner}/{name}/commit/{oid}"}

    def _space_routes(self, app: FastAPI) -> None:
        @app.get("/api/spaces/{owner}/{name}/variables")
        @app.post("/api/spaces/{owner}/{name}/variables")
        async def variables(request: Request, owner: str, name: str):
            repo = self._find(request, "spaces", f"{owner}/{name}", write=True)
            if request.method == "POST":
                one = await request.json()
                repo.variables[one["key"]] = one["value"]
            return {key: {"value": value} for key, value in repo.variables.items()}

        @app.get("/api/spaces/{owner}/{name}/runtime")
        @app.post("/api/spaces/{owner}/{name}/hardware")
        @app.post("/api/spaces/{owner}/{name}/restart")
        async def runtime(request: Request, owner: str, name: str):
            repo = self._find(request, "spaces", f"{owner}/{name}", write=request.method == "POST")
            if request.url.path.endswith("/hardware"):
                repo.hardware = (await request.json())["flavor"]
            elif request.url.path.endswith("/restart"):
                repo.stages = ["APP_STARTING", "RUNNING"]
            stage = repo.stages.pop(0) if len(repo.stages) > 1 else repo.stages[0]
            hardware = {"current": repo.hardware, "requested": repo.hardware}
            answer = {"stage": stage, "hardware": hardware, "sha": repo.branches["main"]}
            return answer | ({"errorMessage": repo.error} if repo.error else {})


class Refused(Exception):
    """A status with the Hub's own name of the error."""

    def __init__(self, status: int, code: str = "") -> None:
        self.status, self.code = status, code

    def answer(self) -> Response:
        headers = {"X-Error-Code": self.code, "X-Error-Message": self.code} if self.code else {}
        return JSONResponse({"error": self.code or "refused"}, self.status, headers)


def account(request: Request) -> str | None:
    """Whose token it is. Raises Refused for one that is nobody's."""
    token = request.headers.get("authorization", "").removeprefix("Bearer ")
    if token and token not in USERS:
        raise Refused(401)
    return USERS.get(token)


def files_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}
