"""Which line and which bot a request or a call belongs to, and under which address we are known."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.adapters.telephony.codecs.audiosocket import AudioSocketCodec
from orchestrator.port import routes
from orchestrator.port.routes import (
    bot_for,
    bots_of,
    call_name,
    caller_address,
    mistakes,
    number_key,
    own_path,
    place_of,
    public_url,
)
from orchestrator.settings import BotSettings, LineSettings, ServeSettings

TWILIO = LineSettings(carrier="twilio")
GENERIC = LineSettings(carrier="generic", path="/in/house")
SOCKET = LineSettings(carrier="audiosocket", uuids={"4000": "four", "4000ab": "fourab"}, bot="usual")
BOT = BotSettings(use="echo", options={"a": 1})


def test_a_path_leads_to_its_line_with_at_most_a_token_behind_it() -> None:
    """Nothing deeper, nothing that only begins alike, and never to AudioSocket."""
    lines = [SOCKET, TWILIO, GENERIC]
    assert place_of("/twilio", lines) == routes.Place(TWILIO)
    assert place_of("/twilio/abc", lines) == routes.Place(TWILIO, "abc")
    assert place_of("/in/house", lines) == routes.Place(GENERIC)
    for path in ("/", "/twilio/a/b", "/twilio2", "/in", "/audiosocket", "/twilio/", ""):
        assert place_of(path, lines) is None


@pytest.mark.parametrize("number", ["+49 30 1234", "0049301234", "sip:+49301234@host;user=phone", "tel:+49-30-1234"])
def test_a_called_number_is_known_however_it_is_written(number: str) -> None:
    """Numbers choose the bot where the line's has none of its own for them."""
    line = LineSettings(carrier="twilio", bot="usual", numbers={"+49301234": "berlin"})
    assert bot_for(line, BOT, called=number).name == "berlin"
    assert bot_for(line, BOT, called="+49301235").name == "usual"
    assert bot_for(line, BOT).name == "usual"


def test_a_name_is_no_number() -> None:
    """SIP users have names, too."""
    assert number_key("sip:Sales@host") == "sales"
    assert number_key("+1 (555) 010-0199") == "15550100199"


def test_the_longest_beginning_of_a_uuid_decides() -> None:
    """Upper and lower case alike."""
    assert bot_for(SOCKET, BOT, call="4000AB12-0000").name == "fourab"
    assert bot_for(SOCKET, BOT, call="4000cd").name == "four"
    assert bot_for(SOCKET, BOT, call="5").name == "usual"


def test_the_default_bot_brings_its_options_and_each_bot_counts_once() -> None:
    """A number that names the default bot means it as it is."""
    line = LineSettings(carrier="twilio", numbers={"1": "echo", "2": "survey", "3": "survey"})
    assert [(each.name, dict(each.options)) for each in bots_of(line, BOT)] == [("echo", {"a": 1}), ("survey", {})]
    assert bot_for(line, BOT, called="1").options == {"a": 1}


def test_only_the_last_forwarded_address_is_believed() -> None:
    """The others are what the peer of the proxy wrote; without a proxy none is."""
    assert caller_address("10.0.0.1", "1.1.1.1, 203.0.113.7", forwarded=True) == "203.0.113.7"
    assert caller_address("10.0.0.1", "1.1.1.1", forwarded=False) == "10.0.0.1"
    assert caller_address("10.0.0.1", "", forwarded=True) == "10.0.0.1"


@pytest.mark.parametrize(
    ("serve", "expected"),
    [
        (ServeSettings(public_url="https://a.example"), "wss://a.example/t?x=1"),
        (ServeSettings(public_url="http://a.example/sub"), "ws://a.example/sub/t?x=1"),
        (ServeSettings(certificate="c.pem"), "wss://said.example/t?x=1"),
        (ServeSettings(), "ws://said.example/t?x=1"),
    ],
)
def test_a_stream_is_where_the_public_url_says(serve: ServeSettings, expected: str) -> None:
    """Without one, where the request believes to be."""
    assert public_url(serve, "/t?x=1", stream=True, host="said.example") == expected


def test_a_path_before_ours_may_be_left_on_by_the_proxy() -> None:
    """Or taken off."""
    serve = ServeSettings(public_url="https://a.example/voice")
    assert own_path(serve, "/voice/twilio") == "/twilio"
    assert own_path(serve, "/twilio") == "/twilio"
    assert own_path(serve, "/voices/twilio") == "/voices/twilio"


@given(st.lists(st.text(max_size=300), max_size=6))
def test_calls_have_names_of_their_own_that_logs_can_take(names: list[str]) -> None:
    """Whatever carriers send as an id."""
    taken: set[str] = set()
    for name in names:
        free = call_name(name, taken)
        assert free not in taken
        assert free.isascii()
        assert free.isprintable()
        assert 1 <= len(free) <= 260
        taken.add(free)


def test_a_plain_id_stays_as_it_is() -> None:
    """REST APIs are asked by it."""
    assert call_name("v3:T02l-_=", set()) == "v3:T02l-_="
    assert call_name("CA1", {"CA1"}) == "CA1.2"


def test_mistakes_name_the_line() -> None:
    """Two lines in one place, a port that is missing, two secrets."""
    twice = LineSettings(carrier="jambonz", path="/twilio", secret_env="A", secret_file="b.txt")
    told = mistakes(ServeSettings(lines=(TWILIO, twice, SOCKET, LineSettings(carrier="plivo", path="/healthz"))))
    assert [each.partition(":")[0] for each in told] == [
        "serve.lines[1]", "serve.lines[1]", "serve.lines[2]", "serve.lines[3].path = '/healthz'",
    ]  # fmt: skip
    assert mistakes(ServeSettings(lines=(TWILIO, GENERIC))) == []
    assert "audiosocket_port" in mistakes(ServeSettings(audiosocket_port=0))[0]


@pytest.mark.parametrize(("account", "right"), [("", True), ("AC0a", True), ("6e-4f_b", True), ("AC...", False)])
def test_an_account_is_no_placeholder(account: str, right: bool) -> None:
    """What documentation has in its place is told, not sent to the carrier."""
    found = mistakes(ServeSettings(lines=(LineSettings(carrier="twilio", account=account),)))
    assert found == ([] if right else [found[0]])
    assert right or found[0].startswith('serve.lines[0].account = "AC...": expected twilio\'s name')


def test_a_line_right_below_another_is_never_reached() -> None:
    """Its path is taken for a token of the one before; the other way round both are reached."""
    calls, lab = LineSettings(carrier="twilio", path="/calls"), LineSettings(carrier="generic", path="/calls/lab")
    (told,) = mistakes(ServeSettings(lines=(calls, lab)))
    assert told.startswith("serve.lines[1]: can't be reached")
    assert place_of("/calls/lab", [calls, lab]) == routes.Place(calls, "lab")
    assert mistakes(ServeSettings(lines=(lab, calls))) == []
    assert place_of("/calls/lab", [lab, calls]) == routes.Place(lab)


@pytest.mark.parametrize(
    ("line", "right"),
    [
        (LineSettings(carrier="twilio", rate=16_000), "8000"),
        (LineSettings(carrier="plivo", rate=24_000), "8000 or 16000"),
        (LineSettings(carrier="vonage", rate=48_000), "8000 or 16000 or 24000"),
        (LineSettings(carrier="exotel", rate=48_000), "8000 or 16000 or 24000"),
    ],
)
def test_a_rate_that_the_carrier_does_not_have_is_a_mistake(line: LineSettings, right: str) -> None:
    """With those that it has."""
    expected = f"serve.lines[0].rate = {line.rate}: {line.carrier} does not have it; expected {right}"
    assert mistakes(ServeSettings(lines=(line,))) == [expected]


@pytest.mark.parametrize("rate", [8000, 16_000, 24_000, 48_000])
def test_audiosocket_has_every_rate_that_can_be_set(rate: int) -> None:
    """Its wire carries each of them."""
    line = LineSettings(carrier="audiosocket", rate=rate)
    assert mistakes(ServeSettings(lines=(line,), audiosocket_port=9092)) == []
    assert AudioSocketCodec(rate=rate).rate == rate
