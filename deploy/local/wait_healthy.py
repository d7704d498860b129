#!/usr/bin/python3
"""Waits until servers report that they serve: wait_healthy.py NAME=HOST:PORT... Exit code 1 after a minute."""

import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests" / "clients" / "python"))

import assay_client  # noqa: E402
import grpc  # noqa: E402

SECONDS = 60


def main():
    servers = dict(argument.split("=", 1) for argument in sys.argv[1:])
    channels = {name: grpc.insecure_channel(at, options=assay_client.CHANNEL_OPTIONS) for name, at in servers.items()}
    waiting = list(servers)
    begin = time.monotonic()
    print("  ", end="")
    while True:
        for name in list(waiting):
            if assay_client.is_serving(channels[name], timeout=1):
                waiting.remove(name)
                print(f"{name} ok ({time.monotonic() - begin:.1f} s)", end="; " if waiting else "\n", flush=True)
        if not waiting:
            return 0
        if time.monotonic() - begin > SECONDS:
            print(f"\nnot serving after {SECONDS} s: {', '.join(waiting)}", file=sys.stderr)
            return 1
        time.sleep(0.1)


if __name__ == "__main__":
    sys.exit(main())
