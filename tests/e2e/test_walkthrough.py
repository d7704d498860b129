"""The walkthrough of the quickstart, by the built-in stand-in, on separate processes and on assay-all."""

import json
import subprocess
import urllib.request

import assay_client
import pytest
from stack import ROOT, Process, Stack, binary

WALKTHROUGH = ROOT / "deploy" / "local" / "walkthrough.py"


def walk(addresses, *arguments):
    command = ["/usr/bin/python3", str(WALKTHROUGH), *(f"--{name}_address={at}" for name, at in addresses.items())]
    return subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=240)


def check(report, conversations):
    assert report["model"] == "offline:/lexical"
    assert sum(report["verdicts"].values()) == conversations == report["traces_with_both"]
    assert report["refusal"]["reason"] == "TOO_FEW_LABELS" and "10" in report["refusal"]["message"]
    alignment = report["alignment"]
    assert alignment["labelled"] == conversations and alignment["conclusion"] in ("GAIN", "INCONCLUSIVE", "HARM")
    assert alignment["in_words"].startswith(alignment["conclusion"])
    for name in ("before", "after", "difference"):
        estimate = alignment[name]
        assert estimate["low"] <= estimate["value"] <= estimate["high"]
    assert report["registered"]["revision"].endswith("/revisions/2") and report["registered"]["production"] in (1, 2)
    shares = [value for name, value in report["evaluation"].items() if "/share/" in name]
    assert sum(shares) == pytest.approx(1.0)
    assert "customer_support_agent" in report["evaluation_trace"]["spans"], report["evaluation_trace"]
    for part in ("guidelines", "scorers"):
        assert report[part]["differ"] and report[part]["polite"]["tone"] > report[part]["rude"]["tone"]
    assert report["scorers"]["polite"]["follows_policies"] > report["scorers"]["rude"]["follows_policies"]


def test_it_goes_through_on_separate_processes_and_prints_tables(stack):
    addresses = stack.addresses()
    # The shared services have another default.
    done = walk(addresses, "--model", "offline:/lexical", "--json", "--conversations", "100", "--experiment", "walk-one")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    check(report, 100)
    # Aligned, the stand-in agrees with people more often.
    assert report["alignment"]["conclusion"] == "GAIN"
    # Once more in the same experiment: everything is there already, and told as tables.
    again = walk(addresses, "--model", "offline:/lexical", "--conversations", "100", "--experiment", "walk-one")
    assert again.returncode == 0, again.stderr
    for text in ("Some verdicts", "Agreement with people", "GAIN", "Metrics of the evaluation", "The two variants differ"):
        assert text in again.stdout, text


def test_a_failure_says_how_to_go_on(stack):
    addresses = {**stack.addresses(), "registry": "127.0.0.1:1"}
    done = walk(addresses, "--patience", "1", "--experiment", "walk-two")
    assert done.returncode == 1
    assert "UNAVAILABLE" in done.stderr and "--experiment walk-two" in done.stderr and "Traceback" not in done.stderr


def all_services(directory):
    flags = [f"--{name}_listen_address=127.0.0.1:0" for name in Stack.ORDER]
    command = [binary("//services/all:assay-all"), f"--data_dir={directory / 'data'}", *flags]
    return Process(
        "assay-all",
        [
            *command,
            "--trace_otlp_listen_address=127.0.0.1:0",
            "--gateway_otlp_http_listen_address=127.0.0.1:0",
            "--registry_default_model=offline:/lexical",
            "--judge_default_model=offline:/lexical",
        ],
        directory,
    )


def addresses_of(process):
    return {name: process.endpoints[name] for name in assay_client.DEFAULT_ADDRESSES}


def resident_bytes(process):
    with open(f"/proc/{process.popen.pid}/status", encoding="utf-8") as status:
        line = next(line for line in status if line.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024


def test_all_services_in_one_process(tmp_path):
    process = all_services(tmp_path).start()
    try:
        client = assay_client.Assay(addresses_of(process))
        for name, channel in client.channels.items():
            assert assay_client.is_serving(channel), name
        client.close()
        with urllib.request.urlopen(f"http://{process.endpoints['otlp_http']}/readyz", timeout=10) as ready:
            assert ready.status == 200
        assert resident_bytes(process) < 150 << 20
        assert sorted(path.name for path in (tmp_path / "data").iterdir()) == sorted(Stack.ORDER)
        done = walk(addresses_of(process), "--json", "--conversations", "12", "--experiment", "small")
        assert done.returncode == 0, done.stderr
        check(json.loads(done.stdout), 12)
    finally:
        code = process.stop()
    assert code == 0, process.log_tail()
    # It comes back with its data.
    process = all_services(tmp_path).start()
    try:
        done = walk(addresses_of(process), "--json", "--conversations", "12", "--experiment", "small")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["registered"]["revision"].endswith("/revisions/2")
    finally:
        process.stop()
