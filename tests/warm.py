"""A warm `srcli`: one process that has imported everything and forks for each command of a test.

`python -m srcli` spends two seconds on imports, and as long on drawing the built-in faces. A fork of a
process that has them is as much a program, with streams, folder, environment, signals, limits and exit code
of its own. What depends on how an interpreter starts or ends (imports, sessions, launchers, output that
cannot be flushed) runs the true `COMMAND`.
"""

import gc
import os
import pkgutil
import resource
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from multiprocessing.connection import Connection, Pipe
from multiprocessing.reduction import recv_handle, send_handle
from pathlib import Path
from typing import IO, Any, NoReturn

COMMAND = [sys.executable, "-m", "srcli"]

File = int | IO[bytes] | IO[str]
"""What a stream of a command is connected to: an open file, or its descriptor."""


@dataclass(frozen=True)
class Call:
    """A command to be run, but for its three streams."""

    arguments: tuple[str, ...]
    folder: str
    environment: Mapping[str, str]
    file_size: int | None


class Process:
    """A command under way; killed when the block ends."""

    def __init__(self, server: Connection, pid: int) -> None:
        self._server, self.pid, self._code = server, pid, None

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, *_: object) -> None:
        if self.poll() is None:
            self.send_signal(signal.SIGKILL)
            self.wait()

    def poll(self) -> int | None:
        """The exit code, or minus the signal that ended it; None while it runs."""
        if self._code is None:
            self._server.send(self.pid)
            self._code: int | None = self._server.recv()
        return self._code

    def wait(self, seconds: float = 120) -> int:
        """The exit code, once there is one."""
        deadline = time.monotonic() + seconds
        while (code := self.poll()) is None:
            if time.monotonic() > deadline:
                raise TimeoutError
            time.sleep(0.005)
        return code

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)


class Srcli:
    """Runs `srcli` in forks of a warm process.

    Calling it with the command's arguments runs the command to its end; `start` does not wait. Both take:
        cwd: The command's working folder; this process's by default.
        env: Its environment; this process's by default.
        file_size: The most bytes that it may write into one file.
        stdin, stdout, stderr: Its streams; nothing to read, and by default a file whose text is returned.
    """

    def __init__(self) -> None:
        self._server, theirs = Pipe()
        arguments = [sys.executable, __file__, str(theirs.fileno())]
        # In a session of its own, so that a Ctrl-C that ends the tests does not reach it first.
        self._process = subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )
        theirs.close()

    def start(
        self,
        *arguments: object,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        file_size: int | None = None,
        stdin: File | None = None,
        stdout: File | None = None,
        stderr: File | None = None,
    ) -> Process:
        environment = dict(os.environ if env is None else env)
        call = Call(tuple(map(str, arguments)), str(cwd or Path.cwd()), environment, file_size)
        self._server.send(call)
        with Path(os.devnull).open("r+b") as nothing:
            for file in (stdin, stdout, stderr):
                stream = nothing if file is None else file
                descriptor = stream if isinstance(stream, int) else stream.fileno()
                send_handle(self._server, descriptor, self._process.pid)
        return Process(self._server, self._server.recv())

    def __call__(
        self,
        *arguments: object,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        file_size: int | None = None,
        stdin: File | None = None,
        stdout: File | None = None,
        stderr: File | None = None,
    ) -> subprocess.CompletedProcess[str]:
        with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
            files = (stdin, stdout or output, stderr or errors)
            code = self.start(
                *arguments,
                cwd=cwd,
                env=env,
                file_size=file_size,
                stdin=files[0],
                stdout=files[1],
                stderr=files[2],
            ).wait()
            texts = [_text_of(file) for file in (output, errors)]
        return subprocess.CompletedProcess(list(map(str, arguments)), code, *texts)

    def __enter__(self) -> "Srcli":
        return self

    def __exit__(self, *_: object) -> None:
        """Ends the warm process, and with it the commands that are still under way."""
        self._server.close()
        self._process.wait()


def _text_of(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="surrogateescape")


def _import_everything() -> None:
    """Imports what commands import, and what torch imports only when it is used.

    But for onnxruntime, which starts a thread: a fork must not lack it.
    """
    import matplotlib.pyplot
    import scipy.stats
    import torch
    import torchvision

    import srcli
    from srcli.drawn_faces.faces import built_in_dataset

    _ = matplotlib, scipy, torchvision
    for module in pkgutil.walk_packages(srcli.__path__, "srcli."):
        if module.name != "srcli.__main__":
            import_module(module.name)
    torch.set_num_threads(1)  # a fork has only one
    torch.optim.Adam([torch.zeros(1)])
    built_in_dataset()  # kept for the commands that are given no data
    gc.collect()
    gc.freeze()  # so that collections in the forks do not copy every page


def _serve(tests: Connection) -> None:
    """Forks for every call, and tells the forks' ends; returns only in the forks."""
    running: set[int] = set()
    while True:
        try:
            request = tests.recv()
        except EOFError:
            for process in running:
                os.kill(process, signal.SIGKILL)
            sys.exit()
        if isinstance(request, int):
            ended, status = os.waitpid(request, os.WNOHANG)
            running.discard(ended)
            tests.send(os.waitstatus_to_exitcode(status) if ended else None)
            continue
        files = [recv_handle(tests) for _ in range(3)]
        process = os.fork()
        if process == 0:
            tests.close()
            _become(request, files)
            _run()
        running.add(process)
        for file in files:
            os.close(file)
        tests.send(process)


def _become(call: Call, files: list[int]) -> None:
    """Makes this process what the program's would be at its start."""
    for stream, file in enumerate(files):
        os.dup2(file, stream)
        os.close(file)
    # Anew, since the warm process's know of /dev/null that one can seek in it.
    sys.stdin = open(0, closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, errors="backslashreplace", closefd=False)  # noqa: SIM115
    os.chdir(call.folder)
    os.environ.clear()
    os.environ.update(call.environment)
    if call.file_size is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (call.file_size, call.file_size))
    # Shells start background jobs deaf to Ctrl-C, and nohup deaf to a closed terminal, as these tests may be.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    sys.argv = ["srcli", *call.arguments]


def _run() -> NoReturn:
    """Runs the program and ends this process without what an interpreter tidies up at its end."""
    from srcli.cli.main import main

    code: Any = 1
    try:
        main()
    except SystemExit as end:
        code = end.code
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code or 0)


if __name__ == "__main__":
    sys.modules["warm"] = sys.modules["__main__"]  # calls are pickled under this name
    _import_everything()
    _serve(Connection(int(sys.argv[1])))
