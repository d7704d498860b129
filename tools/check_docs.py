#!/usr/bin/python3
"""Fails, naming file and line, if the documentation and the code say different things.

Four checks: relative links resolve; the reasons of errors in the code are those of the tables of docs/errors.md; the paths in
docs/life_of_a_request.md exist; every service's README has its headings. Reads the names of C++ sources from standard input,
in the repository's root.
"""

import pathlib
import re
import sys

ERRORS = "docs/errors.md"
LIFE = "docs/life_of_a_request.md"
HEADINGS = ("What it owns", "RPCs", "Key layout", "Limits and flags", "How it fails", "How to test")

LINK = re.compile(r"\]\(([^)\s]+)\)")
REPOSITORY_PATH = re.compile(r"\b(?:bazel|common|deploy|docs|examples|protos|services|tests|tools)/[\w./-]*\w")

# A reason has an underscore nearly always; without one, it counts only where an error is made.
SNAKE = re.compile(r'"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)"')
WORD = re.compile(r'"([A-Z][A-Z0-9]{3,}(?:_[A-Z0-9]+)*)"')
ERROR_MADE = re.compile(
    r"\b(?:MakeError|InvalidField|NotFound|PreconditionFailed|ErrorOf|SkipAll|set_code|set_rejection|ToStatus)\s*\("
    r"|\berror_code\s*=[^=]"
)
CONSTANT = re.compile(r'\b(k[A-Z]\w*)\s*=\s*"([A-Z][A-Z0-9_]{3,})";')
CONSTANT_USED = re.compile(r"\bk[A-Z]\w*")
# Reasons of calls of users' servers are put together: UserCallError("SCORER", ...) and "_TIMEOUT".
PREFIX = re.compile(r'\bUserCallError\(\s*"([A-Z]+)"')
SUFFIX = re.compile(r'"(_[A-Z]+(?:_[A-Z]+)*)"')
DOCUMENTED = re.compile(r"`([A-Z][A-Z0-9_]+)`")

CANONICAL = {
    "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
    "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
    "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
}  # fmt: skip
# Quoted words that are no reasons: values of filters, and names of environment variables.
NO_REASONS = {
    "IN_PROGRESS", "LLM_JUDGE", "CHAT_MODEL",
    # Words of the providers of models.
    "API_KEY_INVALID", "IMAGE_SAFETY", "MAX_TOKENS", "PROHIBITED_CONTENT",
}
ENVIRONMENT = re.compile(r"^ASSAY_|^(?:AWS|AZURE|DATABRICKS)_|_API_KEY$|_PROXY$")


def is_code(path):
    return not path.endswith(("_test.cc", "_benchmark.cc")) and "/testing/" not in path


def code_lines(path):
    """The file's lines, comments emptied."""
    lines = pathlib.Path(path).read_text(encoding="utf-8").splitlines()
    return ["" if line.lstrip().startswith("//") else line for line in lines]


def statement_from(lines, start, column):
    """The code from a call to the end of its statement, at most a dozen lines."""
    text = lines[start][column:]
    for line in lines[start + 1 : start + 12]:
        if text.rstrip().endswith((";", "{")):
            break
        text += "\n" + line
    return text.split(";")[0]


def reasons_in_code(paths):
    """Reason -> the first place where it stands."""
    reasons, prefixes, suffixes = {}, {}, {}
    sources = {path: code_lines(path) for path in filter(is_code, paths)}
    constants = dict(pair for lines in sources.values() for line in lines for pair in CONSTANT.findall(line))
    for path, lines in sources.items():
        joins_reasons = path.endswith("/user_call_error.cc")
        for i, line in enumerate(lines):
            place = f"{path}:{i + 1}"
            for reason in SNAKE.findall(line):
                reasons.setdefault(reason, place)
            for made in ERROR_MADE.finditer(line):
                statement = statement_from(lines, i, made.start())
                named = [constants[name] for name in CONSTANT_USED.findall(statement) if name in constants]
                for reason in WORD.findall(statement) + named:
                    reasons.setdefault(reason, place)
            for prefix in PREFIX.findall(line):
                prefixes.setdefault(prefix, place)
            for suffix in SUFFIX.findall(line) if joins_reasons else ():
                suffixes.setdefault(suffix, place)
    for prefix, place in prefixes.items():
        reasons.pop(prefix, None)
        for suffix in suffixes:
            reasons.setdefault(prefix + suffix, place)
    return {
        reason: place
        for reason, place in reasons.items()
        if reason not in CANONICAL | NO_REASONS and not ENVIRONMENT.search(reason)
    }


def reasons_documented():
    """Reason -> the line of the table row that begins with it."""
    reasons = {}
    for number, line in enumerate(pathlib.Path(ERRORS).read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("| `"):
            for reason in DOCUMENTED.findall(line.split("|")[1]):
                reasons.setdefault(reason, number)
    return {reason: number for reason, number in reasons.items() if reason not in CANONICAL}


def check_reasons(paths):
    code, documented = reasons_in_code(paths), reasons_documented()
    for reason in sorted(code.keys() - documented.keys()):
        yield f"{code[reason]}: {reason} is missing from the tables of {ERRORS}"
    for reason in sorted(documented.keys() - code.keys()):
        yield f"{ERRORS}:{documented[reason]}: {reason} occurs nowhere in the code"


def text_lines(path):
    """Numbered lines outside of code blocks."""
    in_block = False
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.lstrip().startswith("```"):
            in_block = not in_block
        elif not in_block:
            yield number, line


def check_links(root):
    documents = [root / "README.md", root / "CONTRIBUTING.md"]
    documents += sorted(root.glob("docs/*.md")) + sorted(root.glob("services/*/README.md"))
    for document in filter(pathlib.Path.exists, documents):
        for number, line in text_lines(document):
            for target in LINK.findall(line):
                path = target.split("#")[0]
                if path and not re.match(r"[a-z]+:", path) and not (document.parent / path).exists():
                    yield f"{document}:{number}: the link {target} leads nowhere"


def check_life(root):
    for number, line in text_lines(root / LIFE):
        for path in sorted(set(REPOSITORY_PATH.findall(line))):
            if not (root / path).exists():
                yield f"{LIFE}:{number}: {path} does not exist"


def check_services(root):
    for service in sorted({path.parent for face in ("rpc", "http") for path in root.glob(f"services/*/{face}")}):
        readme = service / "README.md"
        if not readme.exists():
            yield f"{service}: has no README.md"
            continue
        headings = {line[3:].strip() for _, line in text_lines(readme) if line.startswith("## ")}
        for heading in HEADINGS:
            if heading not in headings:
                yield f"{readme}: the heading `## {heading}` is missing"


def main():
    root = pathlib.Path(".")
    paths = sys.stdin.read().split()
    violations = [*check_links(root), *check_reasons(paths), *check_life(root), *check_services(root)]
    for violation in violations:
        print(violation)
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
