"""Runs a load against a process and reads what it cost, from outside: the generator's own report, and /proc."""

import collections
import contextlib
import json
import os
import resource
import subprocess
import time

_TICKS = os.sysconf("SC_CLK_TCK")
# A process that used less than this in a step of the settling is idle; keepalives and self-pings stay below.
_SETTLE_STEP_SECONDS = 0.25
_IDLE_TICKS = 2
_SETTLE_AT_MOST_SECONDS = 60


def cpu_seconds(pid):
    """User and system time of all threads of a process, those that have ended included."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def status_number(pid, name):
    """A number of /proc/PID/status, such as Threads, or VmRSS in KiB."""
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        for line in file:
            if line.startswith(name + ":"):
                return int(line.split()[1])
    raise KeyError(name)


def threads_by_name(pid):
    """How many threads of a process have each name (its first 15 characters)."""
    names = collections.Counter()
    for task in os.listdir(f"/proc/{pid}/task"):
        with contextlib.suppress(FileNotFoundError):  # It has ended meanwhile.
            with open(f"/proc/{pid}/task/{task}/comm", encoding="utf-8") as file:
                names[file.read().strip()] += 1
    return names


def machine_busy_seconds():
    """CPU seconds that the machine has worked, all processes and the kernel together."""
    with open("/proc/stat", encoding="utf-8") as file:
        user, nice, system, _idle, _iowait, irq, softirq, *_ = map(int, file.readline().split()[1:])
    return (user + nice + system + irq + softirq) / _TICKS


def settle(pid, at_most_seconds=_SETTLE_AT_MOST_SECONDS, idle_seconds=_SETTLE_STEP_SECONDS):
    """Waits until the process has been idle for a while: what it puts off, such as compaction, belongs to the load
    before."""
    deadline = time.monotonic() + at_most_seconds
    before = cpu_seconds(pid)
    idle_since = time.monotonic()
    while time.monotonic() < deadline:
        time.sleep(_SETTLE_STEP_SECONDS)
        now = cpu_seconds(pid)
        if now - before >= _IDLE_TICKS / _TICKS:
            idle_since = time.monotonic()
        elif time.monotonic() - idle_since >= idle_seconds:
            return
        before = now


def generate(generator, arguments):
    """Runs the generator to its end and returns its report."""
    flags = [f"--{name}={value}" for name, value in arguments.items()]
    done = subprocess.run([str(generator), *flags], stdout=subprocess.PIPE, text=True, check=False)
    if not done.stdout.strip():
        raise RuntimeError(f"the generator gave no report (exit code {done.returncode}): {' '.join(flags)}")
    report = json.loads(done.stdout)
    if report["failures"]:
        raise RuntimeError(f"{report['failures']} calls failed, the first with: {report['first_failure']}")
    return report


class LoadMeter:
    """How much of the machine went to others than the processes of a benchmark."""

    def __init__(self, pids):
        self._pids = pids
        self._start = time.monotonic()
        self._busy = machine_busy_seconds()
        self._own = self._own_seconds()

    def _own_seconds(self):
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        return sum(cpu_seconds(pid) for pid in self._pids) + children.ru_utime + children.ru_stime

    def share_of_others(self):
        """From 0 to 1, of all cores, since the start."""
        cores = os.cpu_count() * (time.monotonic() - self._start)
        others = machine_busy_seconds() - self._busy - (self._own_seconds() - self._own)
        return max(0.0, others / cores) if cores else 0.0


def measure(generator, pids, arguments, units_per_answer):
    """One window: rate and latencies as the client saw them, and the CPU time of the server's processes until they were
    idle again, over all answers that it gave."""
    before = sum(map(cpu_seconds, pids))
    begun = time.monotonic()
    report = generate(generator, arguments)
    wall = time.monotonic() - begun
    for pid in pids:
        settle(pid)
    cpu = sum(map(cpu_seconds, pids)) - before
    units = report["answers"] * units_per_answer
    return {
        "wall_seconds": wall,
        "cpu_seconds": cpu,
        "units": units,
        "units_per_second": report["measured"] * units_per_answer / report["seconds"],
        "cpu_us_per_unit": cpu * 1e6 / units,
        **{name: report[name] for name in ("p50_ms", "p90_ms", "p99_ms", "max_ms")},
    }
