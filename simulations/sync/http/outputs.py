"""What was made: videos, and the results of batches, at signed addresses that need no key."""

from __future__ import annotations

import trio
from attrs import define
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulations.sync.http.door import plain_refusal, refused
from simulations.sync.javascript import stringify
from simulations.sync.service import Service
from simulations.sync.video import tiny_mp4


def routes(service: Service) -> list[Route]:
    """Return the pages' routes."""
    pages = _Pages(service)
    return [
        Route("/outputs/{id}/{name}.mp4", pages.video, methods=["GET"]),
        Route("/v2/batch/{id}/output", pages.where_results_are, methods=["GET"]),
        Route("/results/{id}.jsonl", pages.results, methods=["GET"]),
    ]


@define
class _Pages:
    _service: Service

    async def video(self, request: Request) -> Response:
        """The video: the bytes of the one that it was made of where that was uploaded here, else a tiny grey one of
        the right length."""
        now, made = trio.current_time(), request.path_params["id"]
        found = [each for account in self._service.accounts.all if (each := account.generations.get(made))]
        if not self._is_signed(request) or not found:
            return Response(status_code=403)
        if found[0].status(now) != "COMPLETED":
            return Response(status_code=404)
        file = self._service.files.get(found[0].video)
        content = file.content if file and file.content else tiny_mp4(found[0].duration)
        return Response(content, media_type="video/mp4")

    async def where_results_are(self, request: Request) -> Response:
        """Send on to the results, once there are any. No key is asked for: whether one is needed is not known."""
        made = request.path_params["id"]
        found = [each for account in self._service.accounts.all if (each := account.batches.get(made))]
        if not found or trio.current_time() < found[0].ends:
            return refused(self._service, plain_refusal(404, "There are no results"))
        return Response(status_code=302, headers={"location": self._service.signed(f"/results/{made}.jsonl")})

    async def results(self, request: Request) -> Response:
        """One line of JSON for each line of the batch."""
        made, now = request.path_params["id"], trio.current_time()
        found = [each for account in self._service.accounts.all if (each := account.batches.get(made))]
        if not self._is_signed(request) or not found:
            return Response(status_code=403)
        lines = [line.page(now, output_url=self._service.output_url(line.generation)) for line in found[0].lines]
        return Response(b"".join(stringify(line) + b"\n" for line in lines), media_type="application/jsonl")

    def _is_signed(self, request: Request) -> bool:
        return request.query_params.get("X-Signature") == self._service.signature(request.url.path)
