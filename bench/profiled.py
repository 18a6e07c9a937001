"""Where the worker's time goes: py-spy looks at it while it is saturated.

py-spy charges C code, and the garbage collector with it, to the Python function that called it.
"""

import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

from bench.bodies import Deck, deal
from bench.load import Load, saturate
from bench.measure import run_product
from bench.run import MANY, Plan, separate_cores
from bench.servers import BenchError, Product, product

_EACH_SECOND = 200
_SHOWN = 40
_WAITING = "always_pong"  # uvicorn's thread that tells the parent it lives: no CPU
_LINE = re.compile(r":\d+\)$")
_HOW = """py-spy, which looks into the worker, is not installed. It is no part of our requirements:
  python3 -m venv /tmp/py-spy && /tmp/py-spy/bin/pip install py-spy
  PATH=$PATH:/tmp/py-spy/bin .venv/bin/python -m bench --profile"""


def profile(folder: Path, plan: Plan) -> None:
    """Print the functions in which a saturated worker spends its time, for both kinds of body."""
    spy = shutil.which("py-spy")
    if spy is None:
        raise BenchError(_HOW)
    with separate_cores() as core, product(folder / "data", 1, core) as server:
        for each, connections in ((1, plan.connections), (MANY, plan.many_connections)):
            requests = int(plan.seconds * 30_000 / each**0.8)
            deck = deal(folder / "deck", requests, messages_each=each)
            samples = _look(spy, server, deck, plan.seconds, connections, folder / "samples")
            print(f"\n{each} message(s) a POST")
            print(top(samples))


def _look(
    spy: str, server: Product, deck: Deck, seconds: float, connections: int, out: Path
) -> str:
    """Saturate the worker and return what py-spy saw: a line a stack, with its count."""
    command = [spy, "record", "--pid", str(server.workers[0]), "--rate", str(_EACH_SECOND)]
    command += ["--duration", f"{seconds - 2:.0f}", "--format", "raw", "--output", str(out)]

    def send() -> Load:
        return saturate(server.port, deck, seconds=seconds, connections=connections)

    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as looking:
        run_product(server, deck.messages_each, send)
        _, said = looking.communicate()
    if looking.returncode:
        sys.stderr.buffer.write(said)
        raise BenchError("py-spy may not look into the worker: it needs root or CAP_SYS_PTRACE")
    return out.read_text()


def top(samples: str, shown: int = _SHOWN) -> str:
    """Return the functions with most time of their own, and those with most time below them."""
    own: Counter[str] = Counter()
    below: Counter[str] = Counter()
    for line in samples.splitlines():
        stack, _, times = line.rpartition(" ")
        if _WAITING in stack:
            continue
        frames = [_LINE.sub(")", frame) for frame in stack.split(";")]
        own[frames[-1]] += int(times)
        for frame in set(frames):
            below[frame] += int(times)
    total = max(1, own.total())
    lines = [f"{total} samples; share of a function's own lines, and with all it calls"]
    for order in (own, below):
        lines.append("by its own lines" if order is own else "with all it calls")
        for frame, _ in order.most_common(shown):
            shares = f"{own[frame] / total:7.1%} {below[frame] / total:7.1%}"
            lines.append(f"{shares}  {frame}")
    return "\n".join(lines)
