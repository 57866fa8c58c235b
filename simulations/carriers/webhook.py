"""Asks a server's webhook about a call, as the phone company does first, and says where the stream is to be dialled."""

from __future__ import annotations

import ssl
import time
from collections.abc import Sequence
from urllib.parse import urlsplit

import httpx2
import trio
from attrs import frozen

from simulations.carriers.carrier import Carrier
from simulations.carriers.markup import stream_told
from simulations.carriers.questions import Question, Signer, question, signature
from simulations.carriers.target import Refused, Target
from simulations.carriers.twilio import upgrade_signature


@frozen(kw_only=True)
class Webhook:
    """Where to ask: `url` is dialled, `public` the address that signatures cover and the markup names.

    A stream that the markup brings to the public host is dialled at the host of `url`. `within` is in seconds.
    """

    url: str
    public: str
    secret: str = ""
    headers: Sequence[tuple[str, str]] = ()
    within: float = 10.0
    tls: ssl.SSLContext

    async def follow(self, carrier: Carrier) -> Target:
        """Ask, have the carrier take over what the markup says, and return where the stream is. Raises Refused."""
        asked = question(carrier.name, carrier.call)
        assert asked is not None, "only carriers that ask are given webhooks"
        told = stream_told(carrier.name, await self._answer(carrier, asked))
        if told.rate not in (None, carrier.rate):
            raise Refused(
                0, f"the markup asks for {told.rate} samples a second, the line has {carrier.rate}: see --rate"
            )
        carrier.hand_over(told.parameters)
        return self._target(carrier, told.url)

    async def _answer(self, carrier: Carrier, asked: Question) -> str:
        query = f"{'&' if '?' in self.url else '?'}{asked.query}" if asked.query else ""
        headers = dict(self.headers)
        if asked.content_type:
            headers["Content-Type"] = asked.content_type
        if self.secret:
            signer = Signer(
                carrier=carrier.name,
                secret=self.secret,
                url=self.public + query,
                now=time.time(),
                nonce=carrier.call.stream,
            )
            headers.update(signature(asked, signer))
        try:
            with trio.fail_after(self.within):
                async with httpx2.AsyncClient(verify=self.tls, trust_env=False, timeout=None) as client:
                    answer = await client.request(
                        asked.method, self.url + query, content=asked.body or None, headers=headers
                    )
        except trio.TooSlowError:
            raise Refused(0, f"the webhook did not answer within {self.within:g} s") from None
        except httpx2.HTTPError as error:
            raise Refused(0, f"the webhook: {str(error) or type(error).__name__}") from None
        if answer.status_code != 200:
            raise Refused(answer.status_code, f"the webhook's answer: HTTP {answer.status_code}")
        return answer.text

    def _target(self, carrier: Carrier, stream: str) -> Target:
        public, own, told = urlsplit(self.public), urlsplit(self.url), urlsplit(stream)
        headers = list(self.headers)
        if self.secret and carrier.name == "twilio":
            headers.append(("X-Twilio-Signature", upgrade_signature(stream, self.secret)))
        if told.netloc == public.netloc:
            told = told._replace(scheme="wss" if own.scheme == "https" else "ws", netloc=own.netloc)
        tls = self.tls if told.scheme == "wss" else None
        return Target(url=told, headers=headers, subprotocols=carrier.subprotocols, within=self.within, tls=tls)
