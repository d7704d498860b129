#!/usr/bin/python3
"""Prints the counts of a test run as `PASSED FAILED`: summarize.py bazel EVENTS.json, or summarize.py junit REPORT.xml.

A target of Bazel counts as one test. What was not run counts as failed; a skipped test as neither.
"""

import json
import sys
import xml.etree.ElementTree


def bazel(path):
    passed = failed = 0
    with open(path, encoding="utf-8") as file:
        for line in file:
            event = json.loads(line)
            if "testSummary" not in event:
                continue
            if event["testSummary"].get("overallStatus") in ("PASSED", "FLAKY"):
                passed += 1
            else:
                failed += 1
                print(f"failed: {event['id']['testSummary']['label']}", file=sys.stderr)
    return passed, failed


def junit(path):
    passed = failed = 0
    for suite in xml.etree.ElementTree.parse(path).getroot().iter("testsuite"):
        bad = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        failed += bad
        passed += int(suite.get("tests", 0)) - bad - int(suite.get("skipped", 0))
    return passed, failed


def main():
    try:
        counts = {"bazel": bazel, "junit": junit}[sys.argv[1]](sys.argv[2])
    except (OSError, ValueError, xml.etree.ElementTree.ParseError) as error:
        print(f"summarize: {error}", file=sys.stderr)
        counts = (0, 1)
    print(*counts)


if __name__ == "__main__":
    main()
