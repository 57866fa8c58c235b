"""Videos go where they were wanted; an address that has run out is asked for anew; a failure is told and counted."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
import trio
from attrs import evolve

from orchestrator.adapters.avatars.sync import SyncService
from orchestrator.errors import AvatarFault, FaultKind, SettingsError
from orchestrator.lipsync.command.downloads import Downloads, into, to, to_either
from orchestrator.lipsync.command.progress import Progress
from orchestrator.lipsync.job import Job, JobState
from orchestrator.ports import Generation
from orchestrator.settings import LipsyncSettings
from tests.lipsync.samples import submitted


class Storage(SyncService):
    """Has a video at the address "fresh" alone, which it names when it is asked for the generation."""

    asked = 0

    async def get(self, generation_id: str, *, wait: int = 0) -> Generation:
        """Return the generation with its new address."""
        await trio.lowlevel.checkpoint()
        self.asked += 1
        return Generation(id=generation_id, status="COMPLETED", output_url="fresh")

    async def download(self, url: str, path: Path, *, told: object = None) -> int:
        """Write the video, if that is where it is."""
        await trio.lowlevel.checkpoint()
        if url != "fresh":
            raise AvatarFault(FaultKind.RETRY, "the signature has run out")
        await trio.Path(path).write_bytes(b"video")
        return 5


def done(url: str) -> Job:
    """Return a job whose video is at `url`."""
    return evolve(submitted("j"), state=JobState.COMPLETED, output_url=url, ended_at=1.0)


async def test_an_address_that_has_run_out_is_asked_for_anew(tmp_path: Path, autojump_clock: object) -> None:
    """Once; a good one is just read."""
    service, stream = Storage(LipsyncSettings(), "key"), io.StringIO()
    downloads = Downloads(target=into(tmp_path), service=service, progress=Progress(stream))
    await downloads.fetch(done("fresh"))
    assert service.asked == 0
    await downloads.fetch(done("old"))
    assert (service.asked, downloads.failed, downloads.files) == (1, 0, {"j": tmp_path / "j.mp4"})
    assert stream.getvalue() == f"j: 0.0 kB in {tmp_path}/j.mp4\n" * 2


async def test_a_download_that_fails_is_told(tmp_path: Path, autojump_clock: object) -> None:
    """The disk, or the storage; what has no video is not asked for."""
    service, stream = Storage(LipsyncSettings(), "key"), io.StringIO()
    downloads = Downloads(target=lambda _job: tmp_path, service=service, progress=Progress(stream))
    await downloads.fetch(done("fresh"))
    await downloads.fetch(evolve(done("old"), generation=""))
    await downloads.fetch(submitted("other"))
    disk, storage = stream.getvalue().splitlines()
    assert disk == f"j: its video was made, and could not be downloaded: {tmp_path}: Is a directory"
    assert storage == "j: its video was made, and could not be downloaded: the signature has run out"
    assert (downloads.failed, downloads.files) == (2, {})


def test_where_one_video_goes(tmp_path: Path) -> None:
    """A file, or a directory if it is one or is named so."""
    job = done("fresh")
    assert to(str(tmp_path / "v.mp4"))(job) == tmp_path / "v.mp4"
    assert to(str(tmp_path))(job) == tmp_path / "j.mp4"
    assert to(f"{tmp_path}/new/")(job) == tmp_path / "new" / "j.mp4"


@pytest.mark.parametrize("out", ["/dev/null", "pipe", "link"])
def test_a_device_or_a_pipe_is_no_place(tmp_path: Path, out: str) -> None:
    """The video would take its place; nor is a link to one."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    with pytest.raises(SettingsError, match="is there already"):
        to(str(tmp_path / out))


def test_no_file_is_overwritten(tmp_path: Path) -> None:
    """One is refused before anything is accepted; one that came later, or lies in a directory, keeps its name."""
    (tmp_path / "v.mp4").write_bytes(b"mine")
    (tmp_path / "dangling").symlink_to("nothing")
    for name in ("v.mp4", "dangling"):
        with pytest.raises(SettingsError, match="is there already; expected a new file, or a directory"):
            to(str(tmp_path / name))
    target = to(str(tmp_path / "later.mp4"))
    (tmp_path / "later.mp4").touch()
    assert target(done("fresh")) == tmp_path / "later-j.mp4"
    assert into(tmp_path, name=lambda _: "v")(done("fresh")) == tmp_path / "v-j.mp4"


def test_the_videos_of_jobs_go_into_a_directory_that_of_one_also_to_a_file(tmp_path: Path) -> None:
    """By an ending; a directory is one whatever its name."""
    job = evolve(done("fresh"), name="intro")
    assert to_either(tmp_path / "new.mp4", [job])(job) == tmp_path / "new.mp4"
    assert to_either(tmp_path / "new", [job])(job) == tmp_path / "new" / "intro.mp4"
    assert to_either(tmp_path / "two.mp4", [job, evolve(job, id="k")])(job) == tmp_path / "two.mp4" / "intro-j.mp4"
    assert to_either(tmp_path / "two.mp4", [job])(job) == tmp_path / "two.mp4" / "intro.mp4"


def test_a_place_that_is_none_is_told(tmp_path: Path) -> None:
    """Before anything is accepted."""
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="expected a directory"):
        into(tmp_path / "file")
    with pytest.raises(SettingsError, match="there is no directory"):
        to(str(tmp_path / "nowhere" / "v.mp4"))
