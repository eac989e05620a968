"""Load one page of a running Stock Lab through Streamlit's own socket, as many browsers would.

Each user connects, runs the page, thinks, runs it again; what is timed is the way from the rerun request to
``script_finished``. Only addresses of this machine are accepted and the run ends by itself. Example, with the
server on one core and the load on the other:

    taskset -c 0 .venv/bin/stocklab up &
    taskset -c 1 .venv/bin/python benchmarks/load.py --page results --query run=ID --users 200 --think 5

``--think 0`` measures the most runs a second that the given number of users can ask for.
"""

from __future__ import annotations

import argparse
import asyncio
import ipaddress
import json
import random
import statistics
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import psutil
import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

LONGEST_SECONDS = 300.0
MOST_USERS = 2000
ANSWER_SECONDS = 60.0


@dataclass(slots=True)
class Tally:
    """What all users saw together."""

    first_ms: list[float] = field(default_factory=list)
    rerun_ms: list[float] = field(default_factory=list)
    run_bytes: list[int] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class User:
    """One browser tab: its socket, the page it is on, and the messages it keeps to spare the server."""

    socket: websockets.ClientConnection
    page: str
    query: str
    page_hash: str = ""
    kept: set[str] = field(default_factory=set)
    seen: set[str] = field(default_factory=set)

    async def run(self) -> int:
        """Ask for one page run and read until it has finished; the bytes received.

        Raises
        ------
        RuntimeError
            The page raised, is unknown, or did not finish well.
        """
        ask = BackMsg()
        state = ask.rerun_script
        state.query_string = self.query
        state.page_name = "" if self.page_hash else self.page
        state.page_script_hash = self.page_hash
        state.cached_message_hashes.extend(sorted(self.kept))
        state.context_info.timezone = "Asia/Seoul"
        state.context_info.locale = "ko-KR"
        state.context_info.url = f"http://localhost/{self.page}?{self.query}"
        await self.socket.send(ask.SerializeToString())
        received = 0
        fault = ""
        while True:
            data = await asyncio.wait_for(self.socket.recv(), ANSWER_SECONDS)
            received += len(data)
            message = ForwardMsg.FromString(data if isinstance(data, bytes) else data.encode())
            kind = message.WhichOneof("type")
            if message.metadata.cacheable and message.hash and kind != "ref_hash":
                self.kept.add(message.hash)
            if kind == "navigation":
                self.page_hash = message.navigation.page_script_hash
                fault = fault or self._elsewhere(message)
            elif kind == "page_not_found":
                fault = f"page {self.page!r} not found"
            elif kind == "delta":
                element = message.delta.new_element
                self.seen.add(element.WhichOneof("type") or "")
                if element.HasField("exception"):
                    fault = element.exception.message[:200]
            elif kind == "script_finished":
                if message.script_finished != ForwardMsg.FINISHED_SUCCESSFULLY and not fault:
                    fault = ForwardMsg.ScriptFinishedStatus.Name(message.script_finished)
                if fault:
                    raise RuntimeError(fault)
                return received

    def _elsewhere(self, message: ForwardMsg) -> str:
        """Empty, or which page is shown instead of the one that was asked for (the default page has an empty path)."""
        shown = next(page for page in message.navigation.app_pages if page.page_script_hash == self.page_hash)
        if self.page in (("", shown.url_pathname) if shown.is_default else (shown.url_pathname,)):
            return ""
        return f"page {shown.url_pathname!r} is shown, not {self.page!r}"


async def _live(arguments: argparse.Namespace, number: int, window: tuple[float, float], tally: Tally) -> None:
    """One user from connecting to the end of the test; every fault is counted, none is hidden."""
    start, until = window
    rng = random.Random(number)
    url = f"ws://{urlsplit(arguments.url).netloc}/_stcore/stream"
    await asyncio.sleep(arguments.warmup * 0.8 * number / arguments.users)
    try:
        async with websockets.connect(
            url, subprotocols=[websockets.Subprotocol("streamlit")], max_size=2**27, compression=None
        ) as socket:
            user = User(socket=socket, page=arguments.page, query=arguments.query)
            runs = 0
            while time.perf_counter() < until:
                began = time.perf_counter()
                received = await user.run()
                ended = time.perf_counter()
                if runs == 0:
                    tally.first_ms.append((ended - began) * 1e3)
                    if missing := set(arguments.expect) - user.seen:
                        raise RuntimeError(f"the page shows no {', '.join(sorted(missing))}")
                elif start <= began and ended <= until:
                    tally.rerun_ms.append((ended - began) * 1e3)
                    tally.run_bytes.append(received)
                runs += 1
                if arguments.think:
                    await asyncio.sleep(arguments.think * rng.uniform(0.8, 1.2))
    except (RuntimeError, OSError, TimeoutError, websockets.WebSocketException) as error:
        tally.errors.append(f"{type(error).__name__}: {error}")


def _percentile(values: list[float], percent: int) -> float | None:
    if len(values) < 2:
        return round(values[0], 1) if values else None
    return round(statistics.quantiles(values, n=100, method="inclusive")[percent - 1], 1)


async def measure(arguments: argparse.Namespace) -> dict[str, object]:
    """Let the users arrive over the warm-up, then measure for ``--seconds``."""
    tally = Tally()
    start = time.perf_counter() + arguments.warmup
    until = start + arguments.seconds
    server = psutil.Process(arguments.pid) if arguments.pid else None
    users = [asyncio.create_task(_live(arguments, n, (start, until), tally)) for n in range(arguments.users)]
    await asyncio.sleep(max(0.0, start - time.perf_counter()))
    cpu_before = sum(server.cpu_times()[:2]) if server else 0.0
    await asyncio.sleep(max(0.0, until - time.perf_counter()))
    cpu = sum(server.cpu_times()[:2]) - cpu_before if server else None
    rss_mb = server.memory_info().rss / 1e6 if server else None
    await asyncio.wait(users, timeout=ANSWER_SECONDS)
    for user in users:
        user.cancel()
    await asyncio.gather(*users, return_exceptions=True)
    runs = len(tally.rerun_ms)
    return {
        "page": arguments.page,
        "users": arguments.users,
        "think_seconds": arguments.think,
        "seconds": arguments.seconds,
        "runs": runs,
        "runs_per_second": round(runs / arguments.seconds, 1),
        "rerun_p50_ms": _percentile(tally.rerun_ms, 50),
        "rerun_p95_ms": _percentile(tally.rerun_ms, 95),
        "rerun_worst_ms": round(max(tally.rerun_ms), 1) if runs else None,
        "first_p50_ms": _percentile(tally.first_ms, 50),
        "first_p95_ms": _percentile(tally.first_ms, 95),
        "kilobytes_per_rerun": round(statistics.mean(tally.run_bytes) / 1e3, 1) if runs else None,
        "server_cpu_share": None if cpu is None else round(cpu / arguments.seconds, 3),
        "server_cpu_ms_per_run": None if cpu is None or not runs else round(cpu / runs * 1e3, 2),
        "server_rss_mb": None if rss_mb is None else round(rss_mb),
        "errors": len(tally.errors),
        "error_examples": sorted(set(tally.errors))[:3],
    }


def _on_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _arguments(given: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--url", default="http://127.0.0.1:8501", help="address of the app, on this machine")
    parser.add_argument("--page", default="", help="url path of the page (empty: home)")
    parser.add_argument("--query", default="", help="query string, such as run=ID")
    parser.add_argument("--users", type=int, default=200)
    parser.add_argument("--think", type=float, default=5.0, help="seconds between two runs of a user, +/- 20 %%")
    parser.add_argument("--seconds", type=float, default=30.0, help="measured time, after the warm-up")
    parser.add_argument("--warmup", type=float, default=10.0, help="seconds over which the users arrive")
    parser.add_argument("--pid", type=int, default=0, help="server process, to report its CPU and memory")
    parser.add_argument("--expect", nargs="*", default=[], help="elements a run must show, such as plotly_chart")
    parser.add_argument("--least-runs", type=float, default=0.0, help="fail below so many runs a second")
    parser.add_argument("--most-p95-ms", type=float, default=0.0, help="fail above this p95 of reruns")
    arguments = parser.parse_args(given)
    if not _on_this_machine(urlsplit(arguments.url).hostname or ""):
        parser.error(f"--url must be an address of this machine, not {arguments.url}")
    if not 0 < arguments.seconds + arguments.warmup <= LONGEST_SECONDS or not 0 < arguments.users <= MOST_USERS:
        parser.error(f"at most {LONGEST_SECONDS:.0f} seconds and {MOST_USERS} users")
    return arguments


def main(given: list[str] | None = None) -> int:
    """Run the test, print one JSON object, and answer 1 when a limit was missed or a run failed."""
    arguments = _arguments(given)
    found = asyncio.run(measure(arguments))
    print(json.dumps(found, ensure_ascii=False, indent=2))
    runs, p95 = found["runs_per_second"], found["rerun_p95_ms"]
    missed = bool(found["errors"]) or not found["runs"]
    missed |= isinstance(runs, float) and runs < arguments.least_runs
    missed |= bool(arguments.most_p95_ms) and isinstance(p95, float) and p95 > arguments.most_p95_ms
    return int(missed)


if __name__ == "__main__":
    raise SystemExit(main())
