"""The rules that keep the project readable: who may import whom, how long things may get, that names are explained.

Everything is read from the sources with `ast`; nothing is run. New decisions and exemptions go into the lists.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("orchestrator", "bots", "simulations")

VALUES = {"audio", "errors", "events", "g711", "ports", "redaction", "settings"}
VALUES |= {
    f"events.{part}" for part in ("base", "calls", "ladder", "links", "port", "replies", "runs", "slots", "videos")
}
VALUES |= {f"settings.{part}" for part in ("calls", "checks", "lipsync", "provider", "serve", "speech")}
VALUES |= {f"ports.{part}" for part in ("avatars", "carriers", "run", "slots", "telephony", "voices")}
DECISIONS = {
    "adapters.voices.waves",
    "dialogue.admission",
    "hearing.energy",
    "dialogue.digits",
    "port.routes",
    "dialogue.talk_share",
    "dialogue.transcript",
    "probe.asking",
    "probe.counting",
    "probe.findings",
    "probe.plan",
    "probe.seen",
    "probe.wording",
    "slot.capacity",
    "slot.account",
    "slot.crowd",
    "slot.lulls",
    "slot.others",
    "slot.rate",
    "slot.trusting",
    "slot.waits",
    "slot.word",
    "slot.limits",
    "slot.load",
    "slot.outlook",
    "slot.pace",
    "slot.queue",
    "speech.chunking",
    "speech.clauses",
    "speech.joins",
    "speech.health",
    "speech.quota",
    "speech.links",
    "speech.silence",
    "speech.reuse",
    "speech.redial",
    "speech.known",
    "speech.freeing",
    "speech.endings",
    "speech.ladder",
    "speech.noise",
    "speech.phrase",
    "speech.play_clock",
    "speech.playout",
    "speech.portions",
    "speech.sentences",
    "speech.speakable",
    "speech.timing",
    "speech.word_weights",
}
DECISIONS |= {f"adapters.telephony.rest.{part}" for part in ("asking", "jambonz", "plivo", "telnyx")}
DECISIONS |= {f"adapters.telephony.rest.{part}" for part in ("twilio", "vonage")}
DECISIONS |= {f"adapters.telephony.{part}" for part in ("far_sound", "markings", "markup", "paced")}
DECISIONS |= {f"lipsync.{part}" for part in ("account", "batch_file", "job", "plan", "signing", "telling", "windows")}
DECISIONS |= {f"lipsync.{part}" for part in ("backoff", "giving_up", "places", "polling", "standing", "steps", "turns")}
DECISIONS |= {f"lipsync.{part}" for part in ("outcomes", "resolving", "rows")}
DECISIONS |= {f"adapters.avatars.sync_{part}" for part in ("batches", "faults", "questions", "words")}
DECISIONS |= {f"adapters.telephony.{part}" for part in ("replay", "signatures")}
WIRING = {"", "__main__", "adapters.voices.local", "app", "check", "cli", "embedding", "probe.command"}
WIRING |= {"cache_command", "cache_warming", "call_command", "adapters.telephony.rest", "machine", "orders", "serve"}
WIRING |= {"cli_groups", "testing", "video_answers"}
"""What may import everything of orchestrator; "" is its __init__."""

FAMILIES = ("adapters.avatars.", "adapters.telephony.")
"""Adapters of one kind, that may import each other."""

IMPURE = {"asyncio", "io", "logging", "os", "pathlib", "random", "socket", "structlog", "subprocess"}
IMPURE |= {"threading", "time", "trio", "trio_websocket", "websockets"}
"""What a decision never imports: the clock, randomness, input and output."""

NEEDS_A_REASON = {"asyncio", "random", "threading", "time"}
"""What nothing in orchestrator imports without a comment on that line."""

FILE_LINES, CLASS_LINES, FUNCTION_LINES, USUAL_FUNCTION_LINES = 300, 150, 50, 25
POSITIONAL, PARAMETERS = 2, 6
FOREIGN_SIGNATURES = {"__aexit__", "__exit__"}
COMMANDS = {"simulations/demo/command.py"}
"""Their `run` takes the options of the command line as keywords, as many as there are."""


def sources(*packages: str) -> list[Path]:
    """Return the Python files of `packages`, as paths from the root."""
    return sorted(path.relative_to(ROOT) for package in packages for path in (ROOT / package).rglob("*.py"))


def read(path: Path) -> ast.Module:
    """Return the syntax tree of a file."""
    return ast.parse((ROOT / path).read_text("utf-8"))


def module_name(path: Path) -> str:
    """Return `slot.queue` for orchestrator/slot/queue.py: the name inside its package."""
    return ".".join(path.with_suffix("").parts[1:]).removesuffix("__init__").rstrip(".")


def imports(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield each imported name with its line; `from a import b` is `a.b`. What only the type checker sees is exempt."""
    if isinstance(tree, ast.If) and "TYPE_CHECKING" in ast.unparse(tree.test):
        return
    if isinstance(tree, ast.Import):
        yield from ((name.name, tree.lineno) for name in tree.names)
    elif isinstance(tree, ast.ImportFrom):
        assert tree.level == 0, "imports are absolute"
        yield from ((f"{tree.module}.{name.name}", tree.lineno) for name in tree.names)
    for child in ast.iter_child_nodes(tree):
        yield from imports(child)


MODULES = {module_name(path) for path in sources("orchestrator")}
DECISIONS |= {module for module in MODULES if module.startswith("adapters.telephony.codecs.")}


def module_of(imported: str) -> str:
    """Return the module of orchestrator that an imported name lies in (`events.CallEnded` lies in `events`)."""
    name = imported.removeprefix("orchestrator").lstrip(".")
    while name not in MODULES:
        name = name.rpartition(".")[0]
    return name


def layer_of(module: str) -> str:
    """Return the layer of a module of orchestrator; what is in no list is shell."""
    if module in VALUES:
        return "values"
    if module in WIRING or module.startswith(("serve.", "lipsync.command")):
        return "wiring"
    if module.startswith("adapters."):
        return "adapters"
    return "decisions" if module in DECISIONS else "shell"


MAY_IMPORT = {
    "values": {"values"},
    "decisions": {"values", "decisions"},
    "adapters": {"values", "decisions"},
    "shell": {"values", "decisions", "shell"},
    "wiring": {"values", "decisions", "shell", "adapters", "wiring"},
}


@pytest.mark.parametrize("path", sources("orchestrator"), ids=str)
def test_orchestrator_keeps_its_layers(path: Path) -> None:
    """Values know values, decisions are pure, adapters know no shell, the shell no adapter; nobody knows bots."""
    importer = module_name(path)
    wrong = []
    for name, line in imports(read(path)):
        top = name.partition(".")[0]
        if top in ("simulations", "bots", "tests"):
            wrong.append(f"{path}:{line} imports {name}")
        elif top == "orchestrator":
            imported = module_of(name)
            family = any(all(module.startswith(each) for module in (imported, importer)) for each in FAMILIES)
            allowed = family or layer_of(imported) in MAY_IMPORT[layer_of(importer)]
            if not allowed and not is_package_of(imported, importer):
                wrong.append(f"{path}:{line} ({layer_of(importer)}) imports {imported} ({layer_of(imported)})")
    assert wrong == []


def is_package_of(package: str, module: str) -> bool:
    """Say whether `module` lies in `package`, whose __init__ is then no layer of its own."""
    return bool(package) and module.startswith(package + ".")


@pytest.mark.parametrize("path", sources("orchestrator"), ids=str)
def test_decisions_are_pure_and_clocks_have_a_reason(path: Path) -> None:
    """A decision imports nothing that waits, reads or draws; elsewhere a clock or a thread has a reason beside it."""
    lines = (ROOT / path).read_text("utf-8").splitlines()
    module = module_name(path)
    wrong = []
    for name, line in imports(read(path)):
        top = name.partition(".")[0]
        if module in DECISIONS and top in IMPURE:
            wrong.append(f"{path}:{line} is a decision and imports {name}")
        elif top in NEEDS_A_REASON and "#" not in lines[line - 1]:
            wrong.append(f"{path}:{line} imports {name} without a reason beside it")
    assert wrong == []


@pytest.mark.parametrize("path", sources("bots"), ids=str)
def test_bots_import_only_public_names(path: Path) -> None:
    """What a bot author copies needs nothing but `from orchestrator import ...` of names in its `__all__`."""
    public = public_names()
    wrong = [
        f"{path}:{line} imports {name}"
        for name, line in imports(read(path))
        if name.startswith(("simulations", "tests"))
        or (name.partition(".")[0] == "orchestrator" and name.removeprefix("orchestrator.") not in public)
    ]
    assert wrong == []


def public_names() -> set[str]:
    """Return `orchestrator.__all__`."""
    for node in read(Path("orchestrator/__init__.py")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return set(ast.literal_eval(node.value))
    return set()


# --- sizes ---

Function = ast.FunctionDef | ast.AsyncFunctionDef


def length(node: ast.ClassDef | Function) -> int:
    """Return how many lines a definition has, its docstring and all."""
    return (node.end_lineno or node.lineno) - node.lineno + 1


def definitions(path: Path) -> Iterator[ast.ClassDef | Function]:
    """Yield every class and function of a file, wherever they are nested."""
    return (node for node in ast.walk(read(path)) if isinstance(node, ast.ClassDef | Function))


@pytest.mark.parametrize("path", sources(*PACKAGES, "tests"), ids=str)
def test_files_classes_and_functions_are_short(path: Path) -> None:
    """300 lines a file, 150 a class, 50 a function."""
    lines = len((ROOT / path).read_text("utf-8").splitlines())
    wrong = [f"{path}: {lines} lines"] if lines > FILE_LINES else []
    for node in definitions(path):
        if length(node) > (CLASS_LINES if isinstance(node, ast.ClassDef) else FUNCTION_LINES):
            wrong.append(f"{path}:{node.lineno} {node.name}: {length(node)} lines")
    assert wrong == []


def test_nine_functions_of_ten_are_at_most_25_lines_long() -> None:
    """The 90th percentile of the functions' lengths, over the whole project."""
    lengths = sorted(
        length(node) for path in sources(*PACKAGES) for node in definitions(path) if isinstance(node, Function)
    )
    assert lengths[len(lengths) * 9 // 10] <= USUAL_FUNCTION_LINES


def comment(node: Function, lines: list[str]) -> str:
    """Return the comment on the line of the `def`."""
    return lines[node.lineno - 1].partition("#")[2]


@pytest.mark.parametrize("path", sources(*PACKAGES), ids=str)
def test_functions_take_few_parameters(path: Path) -> None:
    """At most two go by position (aside from self), six in all; a comment says where a signature is somebody else's."""
    lines = (ROOT / path).read_text("utf-8").splitlines()
    wrong = []
    for node in definitions(path):
        if isinstance(node, ast.ClassDef) or node.name in FOREIGN_SIGNATURES or "signature" in comment(node, lines):
            continue
        positional = [name.arg for name in node.args.posonlyargs + node.args.args if name.arg not in ("self", "cls")]
        total = len(positional) + len(node.args.kwonlyargs)
        command = str(path) in COMMANDS and node.name == "run"
        if len(positional) > POSITIONAL or (total > PARAMETERS and not command):
            wrong.append(f"{path}:{node.lineno} {node.name}: {len(positional)} by position, {total} in all")
    assert wrong == []


# --- words ---


@pytest.mark.parametrize("path", sources(*PACKAGES), ids=str)
def test_public_names_are_explained(path: Path) -> None:
    """The file, its public classes and functions and their public methods have a docstring."""
    tree = read(path)
    wrong = [] if ast.get_docstring(tree) else [f"{path}: says not what it is for"]
    wrong += [f"{path}:{node.lineno} {node.name}" for node in public(tree) if not ast.get_docstring(node)]
    assert wrong == []


def public(tree: ast.Module | ast.ClassDef) -> Iterator[ast.ClassDef | Function]:
    """Yield the public classes, functions and methods."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef | Function) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from public(node)
