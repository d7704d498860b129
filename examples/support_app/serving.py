"""What the example servers have in common: Assay's Python client on the path, flags, a port file, a life until SIGTERM."""

import argparse
import concurrent.futures
import json
import os
import pathlib
import signal
import sys
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "clients" / "python"))

import grpc  # noqa: E402


class BadArgument(ValueError):
    """What the caller sent cannot be used; becomes INVALID_ARGUMENT."""


def parser(about):
    """The flags that every example server has."""
    flags = argparse.ArgumentParser(description=about)
    flags.add_argument("--listen_address", default="127.0.0.1:0", help="address to serve on; port 0 picks one")
    flags.add_argument("--port_file", default="", help="file to write the address to, as JSON, once it listens")
    return flags


def serve(name, flags, add_services):
    """Serves what `add_services(server)` adds until SIGTERM or SIGINT. Returns the exit code."""
    server = grpc.server(
        concurrent.futures.ThreadPoolExecutor(max_workers=32, thread_name_prefix=name),
        # A port that is taken is an error, not shared.
        options=[("grpc.so_reuseport", 0)],
    )
    add_services(server)
    try:
        port = server.add_insecure_port(flags.listen_address)
    except RuntimeError:
        port = 0
    if port == 0:
        print(f"{name}: cannot listen on {flags.listen_address}", file=sys.stderr)
        return 1
    server.start()
    host = flags.listen_address.rpartition(":")[0]
    _announce(name, f"{host}:{port}", flags.port_file)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    stop.wait()
    server.stop(grace=2).wait()
    return 0


def _announce(name, address, port_file):
    print(f"{name} serves on {address}", flush=True)
    if port_file:
        # Readers see the whole file or none.
        temporary = port_file + ".tmp"
        with open(temporary, "w", encoding="utf-8") as file:
            json.dump({"name": name, "grpc": address}, file)
        os.rename(temporary, port_file)


def abort_on_bad_argument(handler):
    """Wraps a method of a servicer: BadArgument becomes INVALID_ARGUMENT with the error's text."""

    def wrapped(self, request, context):
        try:
            return handler(self, request, context)
        except BadArgument as error:
            return context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))

    return wrapped
