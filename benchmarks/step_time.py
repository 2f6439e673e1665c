"""The speed of a training step, relative to the textbook's, our own fp32 and the CPU's peak.

    python benchmarks/step_time.py --preset dcgan-wgangp --precision bf16

Each contender runs in its own process, since srcli configures its process for training
(`srcli.cli.memory`) and the textbook's does not. They run in turn, and the CPU's peak is measured between.
"""

import multiprocessing
import statistics
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from reporting import arguments, median_ratio, seconds_of, show, time_in_turn

PEAK_SIZE = 3072
OURS, TEXTBOOK, OURS_FP32 = "ours", "textbook", "ours in fp32"


def main() -> None:
    """Runs the benchmark."""
    parser = arguments(__doc__)
    parser.add_argument("--preset", default="dcgan-wgangp")
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32")
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--data", type=Path, help="a prepared dataset; drawn faces without it")
    options = parser.parse_args()
    contenders = {OURS: options.precision, TEXTBOOK: options.precision}
    if options.precision != "fp32":
        contenders[OURS_FP32] = "fp32"
    connections = {name: start(name, precision, options) for name, precision in contenders.items()}
    actions = {name: lambda c=connection: ask(c, "step") for name, connection in connections.items()}
    peak = lambda: ask(connections[OURS], "peak")  # noqa: E731
    seconds = time_in_turn({**actions, "peak": peak}, options.rounds)
    details = ask(connections[OURS], "details")
    for connection in connections.values():
        connection.send("end")
    show({**figures(options, seconds, details), **details}, options.json)


def figures(options: Any, seconds: dict[str, list[float]], details: dict[str, float]) -> dict[str, object]:
    """The figures computed from the timings."""
    step = statistics.median(seconds[OURS])
    updates = 2 * PEAK_SIZE**3 / 1e9
    shares = [
        details["gflop"] / s / (updates / p) for s, p in zip(seconds[OURS], seconds["peak"], strict=True)
    ]
    found: dict[str, object] = {
        "preset": options.preset,
        "precision": options.precision,
        "batch_size": options.batch_size,
        "seconds_per_step": step,
        "images_per_second": options.batch_size / step,
        "gflop_per_second": details["gflop"] / step,
        "peak_gflop_per_second": updates / statistics.median(seconds["peak"]),
        "fraction_of_peak": statistics.median(shares),
        "textbook_seconds": statistics.median(seconds[TEXTBOOK]),
        "times_textbook": median_ratio(seconds[TEXTBOOK], seconds[OURS]),
    }
    if OURS_FP32 in seconds:
        found["times_own_fp32"] = median_ratio(seconds[OURS_FP32], seconds[OURS])
    return found


def start(name: str, precision: str, options: Any) -> Connection:
    """Starts a contender's process and returns the connection to it."""
    context = multiprocessing.get_context("spawn")
    ours, its = context.Pipe()
    what = (its, name, options.preset, precision, options.batch_size, options.data)
    context.Process(target=serve, args=what, daemon=True).start()
    return ours


def ask(connection: Connection, question: str) -> Any:
    """A contender's answer."""
    connection.send(question)
    return connection.recv()


def serve(
    connection: Connection, name: str, preset: str, precision: str, batch_size: int, data: Path | None
) -> None:
    """A contender's process: answers requests until told to end."""
    if name != TEXTBOOK:
        from srcli.cli.memory import keep_freed_memory

        keep_freed_memory()
    from contender import Contender

    contender = Contender(preset, precision, batch_size, data, textbook=name == TEXTBOOK)
    while (question := connection.recv()) != "end":
        match question:
            case "step":
                connection.send(seconds_of(contender.step))
            case "peak":
                connection.send(contender.peak_seconds(PEAK_SIZE))
            case "details":
                connection.send(contender.details())


if __name__ == "__main__":
    main()
