"""The `halfbits` command line: each command is one call into the module that does the work."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Annotated

import typer

from halfbits.course.cli import interview
from halfbits.errors import CourseError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Half the Bits: read, solve, grade.",
)

Name = Annotated[str, typer.Argument(help="An exercise, such as quantized_linear.")]


@app.command()
def start(
    browser: Annotated[bool, typer.Option(help="Open the course in a browser.")] = True,
    port: Annotated[int, typer.Option(help="First port to try.")] = 8888,
) -> None:
    """Serve JupyterLab (/lab) and the book (/book/) on one local address."""
    from halfbits.course.server.start import start as run

    raise typer.Exit(run(port=port, browser=browser))


@app.command()
def grade(
    names: Annotated[list[str] | None, typer.Argument(help="Exercises; all if left out.")] = None,
    answers: Annotated[
        Path | None, typer.Option(help="Grade another folder of the same layout.")
    ] = None,
) -> None:
    """Grade your saved notebooks."""
    from halfbits.course.cli.grading import grade as run

    raise typer.Exit(run(names or [], answers))


@app.command("grade-class")
def grade_class(
    submissions: Annotated[Path, typer.Argument(help="A class folder, as a platform leaves it.")],
    out: Annotated[Path, typer.Option(help="The report; CSV files are written beside it.")] = Path(
        "report.html"
    ),
    exercise: Annotated[
        list[str] | None, typer.Option(help="An exercise to grade; all handed in if left out.")
    ] = None,
    class_file: Annotated[
        Path | None,
        typer.Option("--class", help="A TOML file: which exercises, what each is worth."),
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(help="A Dask scheduler, such as tcp://10.0.0.1:8786.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes on this machine; one per core if left out.")
    ] = None,
) -> None:
    """For teachers: grade a class; a stopped run goes on where it was."""
    from halfbits.course.grading.classroom.run import run

    raise typer.Exit(run(submissions, out, scheduler, exercise or [], workers, class_file))


@app.command()
def rules(name: Name) -> None:
    """List every rule that can fail an exercise."""
    from halfbits.course.cli.grading import rules as run

    raise typer.Exit(run(name))


@app.command()
def hint(
    name: Name,
    task: Annotated[str | None, typer.Argument(help="A function of the exercise.")] = None,
    level: Annotated[int | None, typer.Option(min=1, max=3, help="1, 2 or 3.")] = None,
) -> None:
    """Open the next hint of an exercise."""
    from halfbits.course.cli.grading import hint as run

    raise typer.Exit(run(name, task, level))


@app.command()
def watch(
    name: Annotated[str | None, typer.Argument(help="The exercise to show first.")] = None,
) -> None:
    """Grade each notebook as you save it; beside JupyterLab, in a second window."""
    from halfbits.course.grading.watch.run import run

    raise typer.Exit(run(name))


@app.command()
def reset(name: Name) -> None:
    """Put an exercise back as it was; your work is kept in a backup."""
    from halfbits.course.cli.grading import reset as run

    raise typer.Exit(run(name))


ReaderPath = Annotated[
    str | None, typer.Option("--path", help="interview, student, instructor or engineer.")
]


@app.command()
def progress(path: ReaderPath = None) -> None:
    """Show what is solved and what comes next."""
    from halfbits.course.cli.grading import progress as run

    raise typer.Exit(run(path))


@app.command("next")
def next_(path: ReaderPath = None) -> None:
    """Name the next exercise of a path, and why; the path is remembered."""
    from halfbits.course.cli.grading import name_next as run

    raise typer.Exit(run(path))


@app.command()
def leaderboard(
    files: Annotated[list[Path] | None, typer.Argument(help="Boards to merge; else yours.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write what is shown into a file.")] = None,
) -> None:
    """Show the best scores of the capstone, yours or of merged files."""
    from halfbits.course.cli.grading import leaderboard as run

    raise typer.Exit(run(files or [], out))


interview.add_to(app)


@app.command()
def book(
    force: Annotated[bool, typer.Option(help="Build even if nothing changed.")] = False,
) -> None:
    """Build the book into _build/book/html."""
    from halfbits.course.authoring.book import build

    raise typer.Exit(build(force=force))


@app.command()
def bench(
    output: Annotated[
        Path | None, typer.Option(help="A file; your data folder if left out.")
    ] = None,
    cpu: Annotated[bool, typer.Option("--cpu", help="Measure the CPU, GPU or not.")] = False,
    minutes: Annotated[
        float, typer.Option(help="Most for the plans of a card that has none.")
    ] = 10,
) -> None:
    """Measure this machine: bandwidth, products, layers, by number format."""
    from halfbits.perf.bench import run

    raise typer.Exit(run(output, cpu, minutes))


@app.command()
def why(
    weights: Annotated[str, typer.Option(help="bf16, fp8, int8, int4, nvfp4, ...")] = "int4",
    batch: Annotated[int, typer.Option(help="Rows that are decoded at once.")] = 1,
    device: Annotated[str, typer.Option(help="A record or a card: h100, b200, ...")] = "h100",
    model: Annotated[str, typer.Option(help="8B, 70B, a published model, a file.")] = "8B",
    context: Annotated[int, typer.Option(min=1, help="Tokens in the KV cache.")] = 2048,
    kernel: Annotated[
        str, typer.Option(help="fused, converted (a copy in each call) or torch.")
    ] = "fused",
) -> None:
    """Predict how a format changes a GPU's speed, and say why."""
    from halfbits.course.cli.why import run

    raise typer.Exit(run(weights, batch, device, model, context, kernel))


@app.command()
def fit(
    model: Annotated[str, typer.Argument(help="A config.json, its folder, or a published model.")],
    card: Annotated[
        list[str] | None, typer.Option(help="h100, b200, ...; several allowed.")
    ] = None,
    weights: Annotated[
        str, typer.Option(help="int8, int4, 'mxfp4 experts', ...; as released if left out.")
    ] = "",
    cache: Annotated[str, typer.Option(help="Format of the KV cache.")] = "bf16",
    context: Annotated[int, typer.Option(min=1, help="Tokens of each row.")] = 8192,
    batch: Annotated[int, typer.Option(min=1, help="Rows at a time.")] = 1,
    cards: Annotated[int, typer.Option(min=1, help="Cards that share the model.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """What a model takes, whether it fits a card, and how fast it can be at best."""
    from halfbits.course.cli.fit import run
    from halfbits.perf.fit import Load

    load = Load(batch, context, cache)
    raise typer.Exit(run(model, card or ["h100"], weights, load, cards, as_json))


@app.command()
def inspect(
    checkpoint: Annotated[
        Path, typer.Argument(help="A safetensors file or folder, or a GGUF file.")
    ],
    scheme: Annotated[
        str, typer.Option(help="What to try: int8, int4, int4 g32, fp8, nf4, mxfp4, nvfp4.")
    ] = "int4",
    full: Annotated[bool, typer.Option("--full", help="Look at all values, not at some.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """What is in a checkpoint, what float16 would lose of it, and what a scheme would cost."""
    from halfbits.course.cli.inspect import run

    raise typer.Exit(run(checkpoint, scheme, full, as_json))


Method = Annotated[str, typer.Option(help="none, rtn, gptq, awq, adaround or autoround.")]
Bits = Annotated[int, typer.Option(help="Of a code, 2 to 8.")]
Group = Annotated[int, typer.Option(help="Weights that share a scale: 32, 64 or 128.")]
Zeros = Annotated[bool, typer.Option("--zeros", help="With zero points (rtn and gptq).")]


@app.command()
def export(
    to: Annotated[Path, typer.Argument(help="A new folder.")],
    form: Annotated[
        str, typer.Option("--as", help="compressed-tensors, gptq, gguf or onnx.")
    ] = "gguf",
    method: Method = "gptq",
    bits: Bits = 4,
    group: Group = 32,
    zeros: Zeros = False,
) -> None:
    """Quantize the tiny language model and write it as another program's file."""
    from halfbits.course.cli.export import run

    raise typer.Exit(run(method, bits, group, zeros, form, to))


@app.command()
def engines(
    only: Annotated[
        list[str] | None, typer.Argument(help="transformers, onnxruntime, llama.cpp; all if none.")
    ] = None,
    method: Method = "gptq",
    bits: Bits = 4,
    group: Group = 32,
    zeros: Zeros = False,
    tokens: Annotated[int, typer.Option(help="Of the text that all are judged on.")] = 6000,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Run one quantized model in every engine that is installed: quality, bytes, speed."""
    from halfbits.course.cli.engines import run

    raise typer.Exit(run(method, bits, group, zeros, only or [], tokens, as_json))


@app.command()
def load(
    engine: Annotated[
        str, typer.Option(help="vllm, llama.cpp, sglang, or http://127.0.0.1:PORT.")
    ] = "llama.cpp",
    rate: Annotated[float, typer.Option(help="Requests a second, at random times.")] = 1.0,
    seconds: Annotated[float, typer.Option(help="How long requests are sent.")] = 20.0,
    words: Annotated[int, typer.Option(help="Of each prompt.")] = 50,
    answer: Annotated[int, typer.Option(help="Tokens of each answer.")] = 40,
    ttft: Annotated[float, typer.Option(help="Limit for the first token, in seconds.")] = 1.0,
    tpot: Annotated[float, typer.Option(help="Limit for each further token.")] = 0.1,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Send a load to a server on this machine: TTFT, TPOT and goodput."""
    from halfbits.course.cli.load import run

    raise typer.Exit(run(engine, rate, seconds, words, answer, ttft, tpot, as_json))


@app.command()
def update() -> None:
    """Get the newest course by git, which needs the network, with your answers carried over.

    Changed notebooks are kept in the backups of the data folder.
    """
    from halfbits.course.cli.update import update as run

    raise typer.Exit(run())


@app.command()
def sync(
    force: Annotated[bool, typer.Option(help="Overwrite exercises that were edited.")] = False,
) -> None:
    """For authors: regenerate exercises/ from solutions/."""
    from halfbits.course.cli.grading import sync as run

    raise typer.Exit(run(force))


@app.command()
def execute(
    notebooks: Annotated[list[Path], typer.Argument(help="Notebooks, such as notebooks/x.ipynb.")],
) -> None:
    """For authors: run notebooks in a fresh kernel and store their outputs."""
    from halfbits.course.authoring.execute import execute as run

    raise typer.Exit(run(notebooks))


@app.command()
def pictures() -> None:
    """For authors: draw the terminals that the book shows, from real runs of the commands."""
    from halfbits.course.authoring.pictures import write
    from halfbits.folders import find_root

    for path in write(find_root()):
        print(path)


@app.command()
def mutate(name: Name) -> None:
    """For authors: list the small mistakes in an exercise's solution that no check notices."""
    from halfbits.course.authoring.mutate import mutate as run

    raise typer.Exit(run(name))


@app.command()
def test(
    only: Annotated[list[str] | None, typer.Argument(help="Steps to run; all if left out.")] = None,
    thorough: Annotated[bool, typer.Option(help="Also what takes minutes more.")] = False,
) -> None:
    """For authors: run the project's own tests."""
    from halfbits.course.authoring.selftest import run

    raise typer.Exit(run(only or [], thorough))


def main() -> None:
    """Run the command line; a mistake a person can mend is one sentence on stderr, status 2."""
    for stream in (sys.stdout, sys.stderr):  # an answer's text may hold letters a console lacks
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        app()
    except CourseError as error:
        print(f"halfbits: {error}", file=sys.stderr)
        sys.exit(2)
    except SystemExit as end:
        if isinstance(getattr(end.__context__, "__cause__", None), KeyboardInterrupt):
            print("halfbits: stopped.", file=sys.stderr)
        raise


if __name__ == "__main__":
    main()
