"""The voices that the simulated provider has, by model: values only; who may see them is voices.py's.

Names, genders, accents and languages are those of the vendor's model cards and samples (a part of them: the standard
pool has over 200), with the default voices of every client. Assumed: age and use where the samples do not tell, the
accent of languages other than English, and the genders of a few names: of the oldest models, and of "kanik", which only
the official SDK's examples speak with.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from attrs import frozen


@frozen(kw_only=True)
class PoolVoice:
    """One voice; `name` is the id to speak with."""

    name: str
    gender: str
    accent: str
    languages: tuple[str, ...]
    """In English words, as the provider tags them."""
    age: str = "young"
    uses: tuple[str, ...] = ("conversational",)

    @property
    def display(self) -> str:
        """What people call it."""
        return self.name.capitalize()


_Row = tuple[str, str, str, str]
"""Accent, languages, female and male names."""

_STANDARD: tuple[_Row, ...] = (
    (
        "american",
        "english",
        "avery sophia quinn mia olivia rachel nicole elizabeth lauren hannah vanessa brooke ilsa christine",
        "magnus daniel jordan robert johnny lucas ronald blofeld zorin felix malcolm malcom kanik",
    ),
    ("british", "english", "", "liam"),
    ("canadian", "english", "erica", "william"),
    ("australian", "english", "chloe", ""),
    (
        "indian",
        "hindi english",
        "maithili sameera sakshi srishti sunidhi chinmayi aanya siya anuja avni ishani yuvika advika sana maya",
        "devansh kartik neel mihir aarush vivaan wasim rehan parth atharv",
    ),
    ("indian", "hindi english marathi gujarati punjabi bengali odia tamil telugu", "mishka", ""),
    ("spanish", "spanish", "daniella camilla alba nerea", "marcos david miguel"),
    ("indian", "tamil english", "rajeshwari", "jeevan"),
    ("indian", "malayalam english", "shibi", "vaisakh"),
    ("indian", "telugu english", "padmaja", "srihari"),
    ("indian", "marathi english", "rupali", "nilesh"),
    ("indian", "gujarati english", "niharika", "dhruvit"),
    ("indian", "kannada english", "deepashri", "pranav"),
)

_PRO: tuple[_Row, ...] = (
    ("indian", "hindi english", "meher rhea zariya kareena mishka inaaya saira aarini", "aviraj vyom zoravar ahan"),
    ("british", "english", "sophie ellie cressida ottilie elowen seraphina", "sam henry benedict cormac rupert finley"),
    (
        "american",
        "english",
        "kaitlyn savannah amelia zoe ruby leah jenna kate molly sara fiona",
        "blake austin jack leo luke owen",
    ),
    ("indian", "marathi", "mrunal manasi ketaki", "mandar tushar"),
    ("indian", "tamil", "malar nila tamilselvi", "mathan dinesh prabhu kavin"),
    ("indian", "malayalam", "parvathy lakshmi", "vishnu sreenath unni"),
    ("indian", "telugu", "sravani swathi", "naveen charan bhaskar"),
    ("indian", "kannada", "spoorthi rashmi varsha", "kishore yogesh shankar"),
    ("indian", "punjabi", "jasleen manmeet", "rajdeep amrit"),
    ("indian", "bengali", "", "rajib tanmoy subhro"),
    ("indian", "odia", "sasmita ankita", "subrat debasish"),
    ("indian", "gujarati", "krupa riddhi", "jignesh keval"),
    ("arabic", "arabic", "layla", "adam"),
    ("chinese", "chinese", "hazel vivian", "dylan silas"),
    ("indonesian", "indonesian", "nora", "bryce miles"),
    ("japanese", "japanese", "aria mila", "jasper"),
    ("korean", "korean", "june", ""),
    ("malay", "malay", "sasha", "roman"),
    ("turkish", "turkish", "", "beau wes"),
    ("vietnamese", "vietnamese", "", "kai"),
    ("german", "german", "hanna lea petra", "max markus finn"),
    ("spanish", "spanish", "martina ines paula", "sebastian mateo gabriel"),
    ("french", "french", "manon juliette lucie", "louis nicolas maxime"),
    ("italian", "italian", "silvia arianna", "davide luca"),
    ("brazilian", "portuguese", "juliana leticia", "gustavo thiago"),
    ("portuguese", "portuguese", "catarina", "francisco"),
    ("russian", "russian", "anastasia olga irina", "andrei nikolai"),
    ("greek", "greek", "katerina dimitra", "dimitris vasilis"),
    ("finnish", "finnish", "aino helmi", "mika timo"),
    ("norwegian", "norwegian", "solveig marit", "kristian espen"),
    ("polish", "polish", "ewa joanna", "tomasz jakub"),
)

_OLDEST: tuple[_Row, ...] = (
    ("american", "english", "emily jasmine", "james george"),
    ("indian", "hindi english", "mithali irisha", "arman arnav raj"),
)
_LARGE: tuple[_Row, ...] = (("american", "english", "emily", "james"), ("indian", "hindi english", "nyah", "lakshya"))

_RAGHAV = PoolVoice(
    name="raghav",
    gender="male",
    accent="indian",
    languages=("hindi", "english"),
    age="middle aged",
    uses=("conversational", "narration"),
)


def _voices(rows: tuple[_Row, ...]) -> Iterator[PoolVoice]:
    for accent, languages, female, male in rows:
        for gender, names in (("female", female), ("male", male)):
            for name in names.split():
                yield PoolVoice(name=name, gender=gender, accent=accent, languages=tuple(languages.split()))


POOLS: Mapping[str, tuple[PoolVoice, ...]] = {
    "lightning": tuple(_voices(_OLDEST)),
    "lightning-large": tuple(_voices(_LARGE)),
    "lightning-v2": tuple(_voices((*_OLDEST, *_LARGE[1:]))),
    "lightning-v3.1": tuple(_voices(_STANDARD)),
    "lightning-v3.1-pro": (*_voices(_PRO), _RAGHAV),
}
"""The voices of each model, which is named as in its own paths; a voice may be in several."""

VOICE_NAMES = frozenset(voice.name for pool in POOLS.values() for voice in pool)
"""What may be spoken with on any model: a voice of another model is not rejected (published)."""
