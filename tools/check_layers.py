#!/usr/bin/python3
"""Fails, naming file and line, if an #include goes against the layers of the code.

Dependencies point one way. Inside a service: rpc -> core <- store, clients; only its composition
root (server.h, server.cc, main.cc and what else lies beside them) sees all rings. A service never
sees another service (services/all alone excepted), common/ never sees a service, and each system
library has its place. Reads file names from standard input.
"""

import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]')

# Packages of common/ with network or storage. All others are what the rules of a domain stand on:
# no server, no store, no network.
OUTER_COMMON = {"http", "http_server", "kv", "rocks", "rpc"}

# Not for core/ either: rules take what they need as arguments.
NOT_FOR_CORE = OUTER_COMMON | {"config"}

# Ring -> rings of the same service that it may include.
RINGS = {
    "core": {"core"},
    "store": {"core", "store"},
    "clients": {"core", "clients"},
    "rpc": {"core", "rpc"},
    # What rpc/ is for gRPC, for HTTP.
    "http": {"core", "http"},
    # A fake may be the store itself on an engine in memory.
    "testing": {"core", "store", "testing"},
}

# Prefix of a library's headers -> directories that may include them, and what it is.
LIBRARY_PLACES = {
    "rocksdb/": (("common/rocks/", "services/trace/store/", "tools/"), "RocksDB"),
    "curl/": (("common/http/",), "curl"),
    # The process switches off the search for deadlocks that gRPC's own mutexes pay for.
    "absl/synchronization/": (
        ("common/rpc/process.cc",),
        "absl::Mutex and absl::Notification, which common/sync replaces,",
    ),
}
GRPC = re.compile(r"^(grpc|grpcpp|grpc\+\+)/|\.grpc\.pb\.h$")


def is_test(path):
    return path.endswith("_test.cc") or "/testing/" in path or path.endswith("_benchmark.cc")


def library_violation(path, header):
    for prefix, (places, what) in LIBRARY_PLACES.items():
        if header.startswith(prefix) and not path.startswith(places):
            where = ", ".join(place.rstrip("/") for place in places)
            return f"{what} has its place in {where}" if where else what
    return None


def common_violation(path, header):
    package = path.split("/")[1]
    if header.startswith(("services/", "cli/", "tests/")):
        return "common/ does not know services, the command line or tests"
    if package in OUTER_COMMON:
        return None
    if GRPC.search(header):
        return f"common/{package} has no gRPC"
    if header.startswith("common/") and header.split("/")[1] in OUTER_COMMON:
        return f"common/{package} does not stand on common/{header.split('/')[1]}"
    return None


def service_violation(path, header):
    parts = path.split("/")
    service = parts[1]
    ring = parts[2] if len(parts) > 3 else ""
    if header.startswith(("cli/", "tests/")):
        return "a service does not know the command line or tests"
    if header.startswith("services/"):
        other = header.split("/")
        if other[1] != service:
            return None if service == "all" else "a service does not include another service"
        other_ring = other[2] if len(other) > 3 else ""
        allowed = RINGS.get(ring)
        if allowed is None:
            return None
        if is_test(path):
            allowed = allowed | {"testing"}
        if other_ring not in allowed:
            return f"{ring}/ includes of its own service only {', '.join(sorted(allowed))}"
    if ring == "core":
        if GRPC.search(header):
            return "core/ has no gRPC"
        if header.startswith("common/") and header.split("/")[1] in NOT_FOR_CORE:
            return f"core/ does not stand on common/{header.split('/')[1]}"
    if ring == "store" and (header.startswith("common/rpc/") or GRPC.search(header)):
        return "store/ has no gRPC"
    return None


def violation(path, header):
    found = library_violation(path, header)
    if found:
        return found
    if path.startswith("common/"):
        return common_violation(path, header)
    if path.startswith("services/"):
        return service_violation(path, header)
    if path.startswith("cli/") and header.startswith(("services/", "tests/")):
        return "the command line knows the public contracts only"
    return None


def main():
    count = 0
    for path in (line.rstrip("\n") for line in sys.stdin):
        with open(path, encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                match = INCLUDE.match(line)
                found = match and violation(path, match.group(1))
                if found:
                    print(f"{path}:{number}: {match.group(1)}: {found}")
                    count += 1
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
