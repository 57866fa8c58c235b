"""`talkingstick lipsync batch`: all lines or none are accepted, and each gets its result, in the order of the file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from orchestrator.commands_lipsync import BatchOptions, JobListOptions, WaitOptions
from orchestrator.errors import SettingsError
from orchestrator.lipsync.command import run as command
from orchestrator.lipsync.command.naming import named
from tests.lipsync.command.bench import SOUND, VIDEO, open_bench, printed
from tests.lipsync.samples import waiting

Capture = pytest.CaptureFixture[str]


def write(path: Path, lines: Sequence[Any]) -> Path:
    """Write a file of JSON lines."""
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    return path


def short(**more: Any) -> dict[str, Any]:
    """Return a line with a video and a sound on the web."""
    return {"video": VIDEO, "audio": SOUND, **more}


async def test_a_line_that_fails_leaves_the_others_alone(tmp_path: Path, capsys: Capture) -> None:
    """Status 1, and all results are there, with the videos; files are seen from where the lines lie."""
    async with open_bench(tmp_path, name="creator") as bench:
        vendors = {"model": "lipsync-2", "input": [{"type": "video", "url": VIDEO}, {"type": "audio", "url": SOUND}]}
        lines = [
            {"video": "face.mp4", "audio": "hello.wav", "request_id": "ours"},
            short(model="nonsense", request_id="wrong"),
            {"request_id": "../theirs", "endpoint": "/v2/generate", "payload": vendors},
        ]
        options = BatchOptions(**bench.account, wait=True, out=tmp_path / "out")
        assert await command.run(options=options, file=write(tmp_path / "lines.jsonl", lines)) == 1
        assert bench.made() == 2
    out, err = capsys.readouterr()
    first, second, third = map(json.loads, out.splitlines())
    assert [first["request_id"], second["request_id"], third["request_id"]] == ["ours", "wrong", "../theirs"]
    assert [first["status"], second["status"], third["status"]] == ["completed", "failed", "completed"]
    assert (second["output_url"], second["code"]) == (None, "generation_unsupported_model")
    assert {Path(first["file"]), Path(third["file"])} == set((tmp_path / "out").iterdir())
    assert Path(first["file"]).name == "ours.mp4"
    assert err.startswith("3 job(s) accepted, ")


async def test_what_many_places_cant_take_soon_goes_as_a_batch(tmp_path: Path, capsys: Capture) -> None:
    """Where the plan has batches; results come line by line all the same, and one object with --json."""
    async with open_bench(tmp_path, name="scale") as bench:
        file = write(tmp_path / "lines.jsonl", [short(video=f"https://v.example/{n}.mp4") for n in range(60)])
        assert await command.run(options=BatchOptions(**bench.account, wait=True, json=True), file=file) == 0
        assert (bench.server.books.batches, bench.made()) == (1, 60)
        assert bench.server.books.most_live <= 15
    results = printed(capsys.readouterr().out)["results"]
    assert [result["request_id"] for result in results] == [f"line-{n}" for n in range(1, 61)]
    assert {result["status"] for result in results} == {"completed"}
    assert len({result["output_url"] for result in results}) == 60


async def test_twenty_lines_go_as_one_batch(tmp_path: Path, capsys: Capture) -> None:
    """As many as a batch has at least, although the places alone would take them soon."""
    async with open_bench(tmp_path, name="scale") as bench:
        file = write(tmp_path / "lines.jsonl", [short(video=f"https://v.example/{n}.mp4") for n in range(20)])
        assert await command.run(options=BatchOptions(**bench.account, wait=True), file=file) == 0
        assert (bench.server.books.batches, bench.server.books.batch_generations) == (1, 20)


async def test_one_wrong_line_keeps_all_out(tmp_path: Path) -> None:
    """Every problem is told at once, with its line."""
    file = write(tmp_path / "lines.jsonl", [short(), short(audio="none.wav"), [], short(video=1)])
    options = BatchOptions(address="http://127.0.0.1:1", store=str(tmp_path / "lipsync.db"))
    with pytest.raises(SettingsError) as caught:
        await command.run(options=options, file=file)
    told = str(caught.value).splitlines()
    assert told == [
        f'{file}: line 2: "none.wav": can\'t be read (No such file or directory)',
        f"{file}: line 3: expected a JSON object",
        f"{file}: line 4: video: expected a string",
    ]
    assert not (tmp_path / "lipsync.db").exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "cannot be read \\(No such file"), (b"\xff", "is not UTF-8 text"), (b"\n", "no line asks for a video")],
)
async def test_a_file_that_is_none_is_told(content: bytes | None, words: str, tmp_path: Path) -> None:
    """By its name."""
    file = tmp_path / "lines.jsonl"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SettingsError, match=words):
        await command.run(options=BatchOptions(address="http://127.0.0.1:1"), file=file)


async def test_a_dry_run_accepts_nothing(tmp_path: Path, capsys: Capture) -> None:
    """The service looks where it would take the file as a batch; it names what it finds."""
    async with open_bench(tmp_path, name="scale") as bench:
        options = BatchOptions(**bench.account, dry_run=True)
        many = write(tmp_path / "many.jsonl", [short()] * 20)
        assert await command.run(options=options, file=many) == 0
        few = write(tmp_path / "few.jsonl", [short()] * 2)
        assert await command.run(options=evolve(options, json=True), file=few) == 0
        with_file = write(tmp_path / "file.jsonl", [short()] * 19 + [short(video="face.mp4")])
        assert await command.run(options=options, file=with_file) == 0
        assert await command.run(options=evolve(options, plan="growth"), file=many) == 0
        wrong = write(tmp_path / "wrong.jsonl", [short()] * 19 + [short(model="nonsense")])
        with pytest.raises(SettingsError, match="line 20: model nonsense is not supported") as caught:
            await command.run(options=options, file=wrong)
        all_wrong = write(tmp_path / "wrong.jsonl", [short(model="nonsense" * 20)] * 20)
        with pytest.raises(SettingsError) as many_caught:
            await command.run(options=options, file=all_wrong)
        assert (bench.made(), bench.store.exists()) == (0, False)
    assert str(caught.value).startswith(f"{wrong}: line 20: ")
    told = str(many_caught.value).splitlines()
    assert len(told) > 5
    assert all(line.endswith(" is not supported") for line in told)
    by_service, few_told, uploaded, other_plan = capsys.readouterr().out.splitlines()
    assert by_service == "20 line(s) are right; the service has checked them"
    assert printed(few_told) == {"schema": 1, "lines": 2, "checked_by": "us"}
    assert uploaded == "20 line(s) are right; checked here, not by the service: files are to be uploaded first"
    assert other_plan.endswith("checked here, not by the service: the plan growth has no batches")


def test_videos_are_named_by_their_lines() -> None:
    """Where that can be a file's name, and is only one's; else the job's id is in it."""
    jobs = [evolve(waiting(str(n)), name=name) for n, name in enumerate(["a", "A", "../x", "b", "ü", ""], 1)]
    name_of = named(jobs)
    assert [name_of(job) for job in jobs] == ["a-1", "A-2", "__x-3", "b", "_-5", "6"]


async def test_a_file_that_is_put_in_again_is_pointed_out(tmp_path: Path, capsys: Capture) -> None:
    """Its lines are new jobs; their names are in the queue for whoever goes on with them."""
    async with open_bench(tmp_path, speed=1.0) as bench:
        file = write(tmp_path / "lines.jsonl", [short(request_id="intro"), short()])
        closed = BatchOptions(store=str(bench.store), address="http://127.0.0.1:1")
        assert await command.run(options=closed, file=file) == 1
        assert "earlier" not in capsys.readouterr().err
        assert await command.run(options=closed, file=file) == 1
    assert "talkingstick: 2 job(s) of an earlier lines.jsonl have not ended; " in capsys.readouterr().err
    assert [job.name for job in bench.jobs()] == ["line-2", "intro"] * 2


async def test_the_names_of_lines_outlive_their_command(tmp_path: Path, capsys: Capture) -> None:
    """What is waited for later is told and downloaded by them."""
    async with open_bench(tmp_path) as bench:
        file = write(tmp_path / "lines.jsonl", [short(request_id="intro")])
        assert await command.run(options=BatchOptions(**bench.account), file=file) == 0
        capsys.readouterr()
        assert await command.run(options=WaitOptions(**bench.account, out=tmp_path / "out", all=True)) == 0
        out, err = capsys.readouterr()
        assert out.rstrip().endswith(" (request_id intro)")
        assert " (intro): completed after " in err
        assert [path.name for path in (tmp_path / "out").iterdir()] == ["intro.mp4"]
        assert await command.run(options=JobListOptions(store=str(bench.store))) == 0
    head, line, _ = capsys.readouterr().out.splitlines()
    assert head.split()[-2:] == ["REQUEST_ID", "WHAT"]
    assert " intro " in line


async def test_standard_input_is_no_file() -> None:
    """It is told as such."""
    with pytest.raises(SettingsError, match="-: expected a file"):
        await command.run(options=BatchOptions(address="http://127.0.0.1:1"), file=Path("-"))
