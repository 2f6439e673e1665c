"""What a person sees while a run trains."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from srcli.console import progress, say
from srcli.runs import RunDirectory
from srcli.training.state import TrainingState
from srcli.training.step import Terms

LIVE_TERMS = ("critic_loss", "generator_loss", "l1", "wasserstein", "gradient_penalty")
MEASURES = {
    "psnr": "PSNR {:.2f} dB",
    "ssim": "SSIM {:.3f}",
    "l1_high": "L1 {:.4f}",
    "consistency": "consistency {:.4f}",
    "diversity": "diversity {:.3f}",
    "duplicates": "duplicates {:.1%}",
}


@contextmanager
def reporting(run: RunDirectory, state: TrainingState) -> Iterator[Callable[[Terms], None]]:
    """A block with a progress bar (on a terminal) and a line for each evaluation."""
    total = state.experiment.training.steps
    say(f"training {state.experiment.name} to step {total} in {run.path}")
    with progress("steps") as bar:
        task = bar.add_task(state.experiment.name, total=total, completed=state.step, rate="-", note="")

        def report(entry: Terms) -> None:
            steps_per_second = entry["images_per_second"] / state.experiment.training.batch_size
            bar.update(task, completed=entry["step"], rate=f"{steps_per_second:.2f}", note=live_terms(entry))
            measured = describe_measures(entry)
            if measured:
                bar.console.print(f"step {entry['step']}: {measured}", markup=False)

        yield report


def live_terms(entry: Terms) -> str:
    """The current terms in one short line."""
    return " ".join(f"{name} {entry[name]:.3g}" for name in LIVE_TERMS if name in entry)


def describe_measures(entry: Terms) -> str:
    """The figures of an evaluation in one line; empty for a step without one."""
    return ", ".join(text.format(entry[name]) for name, text in MEASURES.items() if name in entry)
