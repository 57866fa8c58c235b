"""A program for another process that watches whether a run starts threads or opens sockets, and shows that it would."""

from __future__ import annotations

_WATCHED = """
import socket, sys, threading

inside, seen = False, []

def watch(name, _arguments):
    if inside and (name.startswith("socket.") or name == "subprocess.Popen"):
        seen.append(name)

class Watched(threading.Thread):
    def start(self):
        seen.append("thread") if inside else None
        super().start()

def note(event):
    global inside
    inside = (inside or isinstance(event, Begins)) and not isinstance(event, Ends)

sys.addaudithook(watch)
threading.Thread = Watched
RUN
print(seen)
inside = True
socket.socket().close()
threading.Thread(target=int).start()
print(seen)
"""
SEES_BOTH = ["[]", "['socket.__new__', 'thread']"]
"""What it prints, a line each: of the run, and then of itself."""


def watched(imports: str, run: str) -> str:
    """Return the program: `imports` give the events `Begins` and `Ends`, `run` runs with the sink `note`."""
    return imports + _WATCHED.replace("RUN", run)
