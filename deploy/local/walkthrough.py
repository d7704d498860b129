#!/usr/bin/python3
"""The whole judge workflow on real services: from a first draft of a judge to production, then guidelines and custom scorers.

Every run makes an experiment of its own. A run that was cut short goes on with --experiment and the id that it printed.
"""

import argparse
import json
import os
import sys

import walkthrough_session  # Puts the clients on the path.
from walkthrough_session import Session

import assay_client
from assay.judge.v1 import judge_service_pb2
from walkthrough_guidelines import Guidelines
from walkthrough_support import SupportJudge

EPILOG = """\
examples:
  deploy/local/walkthrough.py                                    on the services that deploy/local/up started
  deploy/local/walkthrough.py --model anthropic:/claude-haiku-4-5 by another model
  deploy/local/walkthrough.py --experiment support-20261122-101500  go on with a run that was cut short
  deploy/local/walkthrough.py --json | jq .alignment              figures for a script

Addresses come from the flags, else from ASSAY_REGISTRY_ADDRESS and the like, else are the ports that deploy/local/up chooses
(ASSAY_PORT_BASE included).
"""


def default_addresses():
    """The addresses of services that deploy/local/up started."""
    base = os.environ.get("ASSAY_PORT_BASE", "")
    if not base.isdigit():
        return assay_client.DEFAULT_ADDRESSES
    names = ("registry", "trace", "judge", "feedback", "alignment", "otlp")
    return {name: f"127.0.0.1:{int(base) + offset}" for offset, name in enumerate(names)}


def parse_flags():
    flags = argparse.ArgumentParser(
        description=__doc__, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, default in default_addresses().items():
        variable = f"ASSAY_{name.upper()}_ADDRESS"
        flags.add_argument(f"--{name}_address", default=os.environ.get(variable, default), help="default %(default)s")
    flags.add_argument("--experiment", default="", help="the experiment's id; one with the date by default")
    flags.add_argument("--model", default="", help="the model as a URI; the judge service's default by default")
    flags.add_argument(
        "--conversations", type=int, default=100, choices=range(10, 101), metavar="10..100",
        help="how many conversations the judge learns from",
    )  # fmt: skip
    flags.add_argument("--patience", type=float, default=60.0, help="seconds to wait for a service that is away")
    flags.add_argument("--event_file", default="", help="file to append progress and acknowledged writes to, as JSON lines")
    flags.add_argument("--json", action="store_true", help="print figures as JSON instead of tables")
    return flags.parse_args()


def choose_model(session, wanted):
    """Says which model judges, and what the stand-in is."""
    models = session.call(session.assay.models.ListModels, judge_service_pb2.ListModelsRequest())
    session.model = wanted or models.default_model
    session.report["model"] = session.model
    session.console.print(f"Model: [bold]{session.model}[/]")
    if session.model.startswith("offline:/"):
        session.console.print(
            "[yellow]It is a built-in stand-in that needs no network: it goes by words and by the nearest labelled examples, "
            "and understands nothing. For a real model set ANTHROPIC_API_KEY, OPENAI_API_KEY or ASSAY_ENDPOINT.[/]"
        )


def walk(session, conversations, model):
    session.console.print(f"Experiment: [bold]{session.experiment_id}[/]")
    choose_model(session, model)
    SupportJudge(session, conversations).run()
    Guidelines(session).run()
    session.event("finished")


def main():
    args = parse_flags()
    addresses = {name: getattr(args, f"{name}_address") for name in assay_client.DEFAULT_ADDRESSES}
    experiment = args.experiment or walkthrough_session.fresh_experiment_id()
    session = Session(addresses, experiment, quiet=args.json, patience=args.patience, event_file=args.event_file)
    try:
        walk(session, args.conversations, args.model)
    except (assay_client.AssayError, RuntimeError) as failure:
        print(f"walkthrough: {failure}", file=sys.stderr)
        for field, description in getattr(failure, "fields", {}).items():
            print(f"  {field}: {description}", file=sys.stderr)
        print(f"walkthrough: go on with --experiment {experiment}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\nwalkthrough: go on with --experiment {experiment}", file=sys.stderr)
        return 130
    finally:
        session.close()
    if args.json:
        print(json.dumps(session.report, indent=2, ensure_ascii=False))
    else:
        session.console.print(f"\nDone. Everything is in {session.parent}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
