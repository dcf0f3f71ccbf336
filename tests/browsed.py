"""A server process for tests with a browser, and how the browser is started."""

import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

ROOT = Path(__file__).parents[1]
SYMBOLS = "BTC/USDT,ETH/USDT,SOL/USDT,XRP/USDT,ADA/USDT,LINK/USDT,AVAX/USDT,DOGE/USDT"
START_S = 300.0
"""A machine without warm kernels compiles for minutes."""

QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)


class Server:
    """A verb of `opportunity` that serves, in its own process; `stop` and `start` keep the port."""

    def __init__(self, home: Path, *flags: str, verb: str = "serve") -> None:
        self.home, self.port, self._verb = home, 0, verb
        self.link = ""  # with which the first user comes in, where one must log in
        self._flags = flags or ("--speed", "600", "--symbols", SYMBOLS)
        self._process: subprocess.Popen[str] | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        code = "import sys; from app.cli import main; sys.exit(main())"
        flags = ["--port", str(self.port), *self._flags]
        self._process = subprocess.Popen(
            [sys.executable, "-c", code, self._verb, *flags], cwd=ROOT, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=os.environ | {"OPPORTUNITY_HOME": str(self.home), "PYTHONPATH": str(ROOT)},
        )
        self.port = self._wait_for_port(self._process)

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.communicate(timeout=30)
            self._process = None

    def _wait_for_port(self, process: "subprocess.Popen[str]") -> int:
        said: list[str] = []
        killer = threading.Timer(START_S, process.kill)
        killer.start()
        try:
            assert process.stdout is not None
            for line in process.stdout:
                said.append(line)
                if "/login?token=" in line:
                    self.link = line.strip()
                found = re.search(r"at http://[\d.]+:(\d+)", line)
                if found:
                    # What it logs from now on must not fill the pipe.
                    threading.Thread(target=process.stdout.read, daemon=True).start()
                    return int(found[1])
        finally:
            killer.cancel()
        raise AssertionError(f"server did not start:\n{''.join(said)}")
