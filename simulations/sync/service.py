"""What all pages of one simulated lip-sync service share; it does nothing itself."""

from __future__ import annotations

import hashlib
import hmac
import random
from uuid import UUID

from attrs import define, field

from orchestrator.ports import Now
from simulations.sync.account import Accounts
from simulations.sync.generation import Batch, Generation
from simulations.sync.media import Files
from simulations.sync.options import SyncOptions
from simulations.sync.studio import Studio
from simulations.sync.webhooks import Post
from simulations.waves.faults.faults import Faults


@define(eq=False, kw_only=True)
class Service:
    """One service, `started` at that time of Trio's clock; `ids` draws the names of assets, batches and requests."""

    options: SyncOptions
    accounts: Accounts
    files: Files
    faults: Faults
    studio: Studio
    post: Post
    wall: Now
    ids: random.Random
    started: float
    _secret: bytes = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._secret = f"{self.options.seed}:outputs".encode()

    @property
    def address(self) -> str:
        """Where clients find it."""
        return self.studio.address

    def new_id(self) -> str:
        """Return a new UUID."""
        return str(UUID(int=self.ids.getrandbits(128), version=4))

    def signature(self, path: str) -> str:
        """Return what signs a path of ours."""
        return hmac.new(self._secret, path.encode(), hashlib.sha256).hexdigest()

    def signed(self, path: str) -> str:
        """Return a signed address of ours, to be used as it is."""
        return f"{self.address}{path}?X-Signature={self.signature(path)}"

    def output_url(self, generation: Generation) -> str:
        """Return where the video of a generation is read, once there is one."""
        name = generation.wanted.output_file_name or "output"
        return self.signed(f"/outputs/{generation.id}/{name}.mp4")

    def batch_url(self, batch: Batch) -> str:
        """Return where the results of a batch are asked for."""
        return f"{self.address}/v2/batch/{batch.id}/output"
