"""Phrases on disk: what is read is what was written, whole and young; nothing that goes wrong there stops anything."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import SettingsError
from orchestrator.settings import CacheSettings
from orchestrator.speech.cache import PhraseStoreError
from orchestrator.speech.phrase import Phrase
from orchestrator.speech.phrase_files import PhraseFiles, cache_directory, open_phrase_files
from tests.speech.kept import key, phrase

DAY = 86_400.0


class Wall:
    """A wall clock that stands still."""

    def __init__(self) -> None:
        self.now = 1e9

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def wall() -> Wall:
    """The clock of a test's cache."""
    return Wall()


@pytest.fixture
def files(tmp_path: Path, wall: Wall) -> PhraseFiles:
    """An empty cache, its directory not there yet."""
    return PhraseFiles(CacheSettings(), directory=tmp_path / "cache" / "talkingstick", wall=wall)


def only(files: PhraseFiles) -> Path:
    """Return the one file in the cache's directory."""
    (path,) = files.directory.iterdir()
    return path


def test_what_is_read_is_what_was_written(files: PhraseFiles) -> None:
    """Sound, rate and words, to the last bit; and nothing for another key."""
    odd = Phrase(pcm=phrase(0.3).pcm, rate=8000, words=((3, "एक\ud800", 0.1, 1 / 3 - 0.04),))
    files.write(key("x\ud800 \n"), odd)
    assert files.read(key("x\ud800 \n")) == odd
    assert files.read(key("x")) is None
    assert only(files).name == f"{key(chr(120) + chr(0xD800) + ' ' + chr(10)).digest}.phrase"


def test_another_phrases_entry_under_this_name_is_not_played(files: PhraseFiles) -> None:
    """As after a copy by hand."""
    files.write(key("a"), phrase())
    only(files).rename(files.directory / f"{key('b').digest}.phrase")
    with pytest.raises(PhraseStoreError, match="it is another phrase's; it is removed"):
        files.read(key("b"))
    assert list(files.directory.iterdir()) == []


def test_what_is_no_file_is_not_opened(files: PhraseFiles) -> None:
    """A pipe would take for ever, a link may lead anywhere; a directory is told, and left."""
    files.directory.mkdir(parents=True)
    path = files.directory / f"{key().digest}.phrase"
    os.mkfifo(path)
    with pytest.raises(PhraseStoreError, match="it is no file; it is removed"):
        files.read(key())
    path.symlink_to("/etc/passwd")
    with pytest.raises(PhraseStoreError, match="it is no file; it is removed"):
        files.read(key())
    path.mkdir()
    with pytest.raises(PhraseStoreError, match="can't be removed"):
        files.read(key())
    with pytest.raises(PhraseStoreError):
        files.write(key(), phrase())
    files.write(key("b"), phrase())
    assert files.read(key("b")) == phrase()


def test_an_entry_that_cannot_be_read_is_removed(files: PhraseFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bad block is the entry's; too many open files are not."""
    files.write(key(), phrase())
    for number, left in ((errno.EMFILE, True), (errno.EIO, False)):

        def fail(*_: Any, number: int = number, **__: Any) -> None:
            raise OSError(number, os.strerror(number))

        with monkeypatch.context() as patched:
            patched.setattr(Path, "open", fail)
            with pytest.raises(PhraseStoreError, match=os.strerror(number)):
                files.read(key())
        assert any(files.directory.iterdir()) == left


def test_entries_expire(files: PhraseFiles, wall: Wall) -> None:
    """Use does not make them younger; those of the future are of unknown age."""
    files.write(key(), phrase())
    wall.now += 29 * DAY
    assert files.read(key()) == phrase()
    wall.now += 2 * DAY
    assert files.read(key()) is None
    assert list(files.directory.iterdir()) == []
    files.write(key(), phrase())
    wall.now -= 31 * DAY
    assert files.read(key()) is None


def test_what_was_not_used_for_longest_goes_first(tmp_path: Path, wall: Wall) -> None:
    """To be read is to be used; strangers' files are neither counted nor touched."""
    files = PhraseFiles(CacheSettings(megabytes=0.1), directory=tmp_path, wall=wall)
    (tmp_path / "holiday.jpg").write_bytes(bytes(200_000))
    for text in "abc":
        wall.now += 1
        files.write(key(text), phrase(1.9))
    wall.now += 1
    files.read(key("a"))
    wall.now += 1
    files.write(key("d"), phrase(1.9))
    assert [files.read(key(text)) is not None for text in "abcd"] == [True, False, True, True]
    with pytest.raises(PhraseStoreError, match="larger than all of the cache"):
        files.write(key("e"), phrase(6.5))
    assert (tmp_path / "holiday.jpg").exists()


@given(st.lists(st.tuples(st.integers(0, 9), st.floats(0.1, 7), st.booleans()), max_size=25))
def test_the_bound_holds_after_every_write(steps: list[tuple[int, float, bool]]) -> None:
    """Whatever is written, read and written anew; what was written last is there."""
    with tempfile.TemporaryDirectory() as folder:
        clock = Wall()
        files = PhraseFiles(CacheSettings(megabytes=0.1), directory=Path(folder), wall=clock)
        for name, seconds, reads in steps:
            clock.now += 1
            if reads:
                files.read(key(str(name)))
                continue
            try:
                files.write(key(str(name)), phrase(seconds))
            except PhraseStoreError:
                assert seconds > 6
                continue
            assert sum(path.stat().st_size for path in Path(folder).iterdir()) <= 100_000
            assert files.read(key(str(name))) == phrase(seconds)


def test_a_full_disk_leaves_nothing_behind(files: PhraseFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    """The directory is named with the reason."""

    def fail(_number: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(PhraseStoreError, match=r"talkingstick: No space left on device$"):
        files.write(key(), phrase())
    assert list(files.directory.iterdir()) == []


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES])
def test_a_directory_that_cannot_be_written_still_serves(
    number: int, files: PhraseFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read-only: reads go on, writes fail with the reason."""
    files.write(key(), phrase())

    def fail(*_: Any, **__: Any) -> None:
        raise OSError(number, os.strerror(number))

    for name in ("utime", "unlink", "replace"):
        monkeypatch.setattr(os, name, fail)
    monkeypatch.setattr(tempfile, "mkstemp", fail)
    assert files.read(key()) == phrase()
    with pytest.raises(PhraseStoreError, match=os.strerror(number)):
        files.write(key("b"), phrase())


def test_a_directory_that_is_a_file_is_told(tmp_path: Path) -> None:
    """For reads and writes alike, and by the command as a wrong setting."""
    place = tmp_path / "cache"
    place.write_text("mine")
    files = PhraseFiles(CacheSettings(), directory=place)
    with pytest.raises(PhraseStoreError, match=r"cache: (File exists|Not a directory)"):
        files.write(key(), phrase())
    with pytest.raises(PhraseStoreError, match="cache: Not a directory"):
        files.read(key())
    with pytest.raises(SettingsError, match="is no directory"):
        open_phrase_files(CacheSettings(directory=str(place)))
    assert place.read_text() == "mine"


def test_what_a_killed_writer_left_is_cleared_away(files: PhraseFiles, wall: Wall) -> None:
    """After an hour: until then it may be another process's, at work."""
    files.write(key(), phrase())
    left = files.directory / "tmpx.phrase-part"
    left.write_bytes(b"talkingstick")
    os.utime(left, (wall.now, wall.now))
    files.write(key("b"), phrase())
    assert left.exists()
    wall.now += 3601
    files.write(key("c"), phrase())
    assert not left.exists()


def test_the_list_reads_everything_and_removes_nothing(files: PhraseFiles, wall: Wall) -> None:
    """Last used first; damaged entries are in it, without a key."""
    assert files.entries() == []
    files.write(key("a"), phrase())
    wall.now += 60
    files.write(key("b"), phrase(0.5))
    damaged = files.directory / f"{'0' * 64}.phrase"
    damaged.write_bytes(b"?")
    os.utime(damaged, (wall.now - 900, wall.now - 900))
    found = [(entry.key and entry.key.text, entry.seconds, wall.now - entry.made) for entry in files.entries()]
    assert found == [("b", 0.5, 0), ("a", 1.0, 60), (None, 0.0, 900)]
    assert len(list(files.directory.iterdir())) == 3


@pytest.mark.parametrize(
    ("directory", "environment", "expected"),
    [
        ("/var/phrases", {"XDG_CACHE_HOME": "/x"}, "/var/phrases"),
        ("~/phrases", {}, "{home}/phrases"),
        ("", {"XDG_CACHE_HOME": "/x"}, "/x/talkingstick"),
        ("", {"XDG_CACHE_HOME": "relative"}, "{home}/.cache/talkingstick"),
        ("", {}, "{home}/.cache/talkingstick"),
    ],
)
def test_where_the_cache_is(directory: str, environment: dict[str, str], expected: str) -> None:
    """The setting, else the XDG directory, else ~/.cache; a relative XDG_CACHE_HOME does not count."""
    found = cache_directory(CacheSettings(directory=directory), environment)
    assert str(found) == expected.format(home=Path.home())


def test_an_unknown_home_is_a_wrong_setting() -> None:
    """It says what would be right."""
    with pytest.raises(SettingsError, match=r"cache\.directory = .*expected a directory"):
        cache_directory(CacheSettings(directory="~nobody-of-that-name/x"))
