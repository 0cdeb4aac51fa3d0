"""Starts the stand-in, says where it is in one JSON line, and ends it and its tasks when standard input closes or on SIGTERM.

By hand, from a terminal in tests/aws: ../../target/aws-stand-in-venv/bin/python -m aws_stand_in --help
"""

import gc
import json
import os
import signal
import sys
import threading

from .http_server import Server
from .options import Options
from .stand_in import StandIn


def main():
    end = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: end.set())
    options = Options()
    stand_in = StandIn(options)
    server = Server(options.port, stand_in.answer)
    url = f"http://127.0.0.1:{server.server_address[1]}"
    # Tests measure when calls arrive: no long pauses for garbage, and threads take turns quickly.
    gc.collect()
    gc.freeze()
    sys.setswitchinterval(0.001)
    stand_in.fleet.start(url)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    threading.Thread(target=_until_input_closes, args=(end,), daemon=True).start()
    print(json.dumps({"url": url}), flush=True)
    sys.stdout = sys.stderr  # moto prints, and nobody reads any more
    end.wait()
    stand_in.fleet.close()


def _until_input_closes(end):
    while os.read(0, 4096):  # not sys.stdin: Python would wait for its lock at the end
        pass
    end.set()


if __name__ == "__main__":
    main()
