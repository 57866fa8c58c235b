"""The settings of answering real calls: the port, who may come there, and which bot answers on which line."""

from __future__ import annotations

from typing import Any, Literal, get_args

from attrs import Factory, field, frozen

from orchestrator.settings.checks import (
    between,
    by_uuid,
    media_address,
    one_of,
    path_on_port,
    public_address,
    secret_file,
    secret_name,
)

Carrier = Literal["twilio", "telnyx", "plivo", "vonage", "exotel", "jambonz", "asterisk", "generic", "audiosocket"]
CARRIERS: tuple[Carrier, ...] = get_args(Carrier)
"""The stacks that are understood; `asterisk` is its chan_websocket."""


@frozen(kw_only=True)
class LineSettings:
    """One way for calls to come in: `[[serve.lines]]`."""

    carrier: Carrier
    """Whose wire is spoken."""
    path: str = field(default="", validator=path_on_port)
    """Where on the port: the webhook is here (POST or GET), the stream here or right below (WebSocket). Empty: `/` and
    the carrier's name."""
    bot: str = ""
    """Which bot answers; empty: that of `[bot]`. `audio-echo` is built in: it sends back what it hears."""
    options: dict[str, Any] = Factory(dict)
    """Keyword arguments for its constructor."""
    numbers: dict[str, str] = Factory(dict)
    """Bots by called number, where not all calls of the line have the same."""
    uuids: dict[str, str] = field(factory=dict, validator=by_uuid)
    """AudioSocket only: bots by the call's UUID, or by its beginning."""
    key_env: str = field(default="", validator=secret_name)
    """The environment variable with the key of the carrier's REST API (Telnyx, jambonz: the API key; Vonage: the
    application's private key); Twilio and Plivo go by the secret. Calls that come in are ended and handed over with it
    only where the line has a secret, too: else anybody could name the call. `talkingstick call` needs no secret."""
    key_file: str = field(default="", validator=secret_file)
    """A file that holds it instead (first line; a private key whole)."""
    secret_env: str = field(default="", validator=secret_name)
    """The environment variable with what signs the carrier's requests (Twilio, Plivo: the auth token; Vonage: the
    signature secret; Telnyx: the public key; others: a shared token); empty, and no `secret_file`: everybody may call.
    """
    secret_file: str = field(default="", validator=secret_file)
    """A file that holds it instead (first line)."""
    account: str = ""
    """The carrier's name of our account, for its REST API (Twilio, jambonz: the account's SID; Plivo: the auth id;
    Telnyx: the TeXML application; Vonage: the application)."""
    api: str = field(default="", validator=public_address)
    """Another address for the carrier's REST API, such as https://jambonz.example.com/api; empty: its usual one."""
    media_url: str = field(default="", validator=media_address)
    """Asterisk's chan_websocket only: where calls wait there to be fetched, such as ws://127.0.0.1:8088/media: whoever
    posts `connection_id` (MEDIA_WEBSOCKET_CONNECTION_ID) to the line's path has us connect."""
    format: Literal["json", "plain"] = "json"
    """Asterisk's chan_websocket only: how it writes its control messages."""
    rate: int = field(default=8000, validator=one_of(8000, 16_000, 24_000, 48_000))
    """Samples a second that we ask for, where the carrier lets us choose."""
    hand_over: str = ""
    """TwiML only: what happens when the bot leaves the call; empty: the call ends."""


@frozen(kw_only=True)
class HearingSettings:
    """How a caller's turns are told until there are ears: `[serve.hearing]`."""

    level: float = field(default=-35.0, validator=between(-90, 0))
    """dBFS above which a frame is speech."""
    starts_after: float = field(default=0.06, validator=between(0.02, 2))
    """Seconds of speech that begin a turn."""
    ends_after: float = field(default=0.5, validator=between(0.1, 5))
    """Seconds without speech that end it."""
    lines: tuple[str, ...] = ("Hello.",)
    """What the caller's turns say, one after the other, from the beginning again after the last."""


@frozen(kw_only=True)
class RecordingSettings:
    """What is kept of calls: `[serve.recording]`. Off by default."""

    on: bool = False
    """Keep a WAV (caller left, bot right) and the transcript of each call."""
    directory: str = "recordings"
    """Where; made where it is missing."""
    days: float = field(default=30.0, validator=between(0.01, 3650))
    """Days after which a recording is deleted."""


@frozen(kw_only=True)
class ServeSettings:
    """Answering real calls: `[serve]`."""

    host: str = "127.0.0.1"
    """The address to listen at; empty: every one of this machine."""
    port: int = field(default=8080, validator=between(0, 65535))
    """The one port for webhooks and WebSockets; 0: a free one."""
    audiosocket_port: int = field(default=-1, validator=between(-1, 65535))
    """TCP port for Asterisk's AudioSocket; 0: a free one, -1: none."""
    public_url: str = field(default="", validator=public_address)
    """The address under which the port is known outside, such as https://bots.example.com: signatures cover it."""
    forwarded: bool = False
    """Whether a proxy in front says in X-Forwarded-For who calls; only the last address in it is believed."""
    certificate: str = ""
    """PEM file for TLS, with its chain; empty: no TLS here."""
    certificate_key: str = ""
    """PEM file of its private key; empty: it is in `certificate`."""
    connections_per_address: int = field(default=200, validator=between(1, 100_000))
    """Connections that one address may have open at a time; behind a proxy its streams, by whom the proxy names."""
    most_connections: int = field(default=1000, validator=between(1, 100_000))
    """Connections in all, AudioSocket's too."""
    message_bytes: int = field(default=262_144, validator=between(1024, 10_000_000))
    """The longest WebSocket message that is read."""
    handshake_within: float = field(default=5.0, validator=between(0.1, 60))
    """Seconds from the connection to the call's start."""
    lead: float = field(default=1.5, validator=between(0.5, 10))
    """Seconds of sound that are sent ahead where the carrier keeps the buffer."""
    carrier_latency: float = field(default=0.08, validator=between(0, 2))
    """Seconds from the carrier's buffer to us, and to the caller's ear: so much less than marks say counts as heard."""
    digits_within: float = field(default=2.0, validator=between(0.1, 60))
    """Seconds after the last key until what was pressed counts as complete; # completes it at once."""
    hearing: HearingSettings = Factory(HearingSettings)
    recording: RecordingSettings = Factory(RecordingSettings)
    lines: tuple[LineSettings, ...] = ()
    """The ways in."""
