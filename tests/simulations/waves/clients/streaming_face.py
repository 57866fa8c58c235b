"""Speaks with the SDK's WavesStreamingTTS in a process of its own and writes the samples to standard output.

`websocket-client`, which the SDK uses there, leaves its socket unclosed when the provider closes first; a process is
spared the warning.
"""

from __future__ import annotations

import sys

from smallestai.waves import TTSConfig, WavesStreamingTTS


def main(address: str, key: str, way: str, text: str) -> None:
    """Have `text` spoken at 24 kHz: whole, or word by word where `way` is "words"."""
    speaker = WavesStreamingTTS(TTSConfig(voice_id="magnus", api_key=key))
    speaker.ws_url = speaker.ws_url.replace("wss://api.smallest.ai", address)
    words = (f"{word} " for word in text.split())
    speech = speaker.synthesize_streaming(words) if way == "words" else speaker.synthesize(text)
    sys.stdout.buffer.write(b"".join(speech))


if __name__ == "__main__":
    main(*sys.argv[1:])
