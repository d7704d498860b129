"""The example support application: a deterministic stand-in for its language model.

The walkthroughs need an application that answers customers without a network and gives the same
answer every time. This one looks for the topic of the conversation, takes the details it needs from
what the customer wrote (product, platform, age of the purchase, e-mail address, order number), and
writes the answer in one of two manners: polite and concise, or rude and verbose.

It is an example to be judged. It understands keywords, not language.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from typing import Any, Mapping, Sequence

try:  # As part of a package, or beside the programs that use it.
    from . import phrases
except ImportError:
    import phrases

Message = Mapping[str, Any]

# In order of precedence: with equally many hits the earlier topic wins.
_TOPIC_PATTERNS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "price",
        (
            r"how much (?:does|do|is|are|would|will)",
            r"\b(?:prices?|pricing|costs?)\b",
            r"\b(?:cheap|cheaper|cheapest|expensive)\b",
            r"\bdiscounts?\b",
        ),
    ),
    (
        "return",
        (
            r"\breturn(?:s|ed|ing)?\b",
            r"\b(?:send|give) (?:it |them |this )?back\b",
            r"\bexchange\b",
            r"\brefund\b",
        ),
    ),
    (
        "login",
        (
            r"\b(?:log|sign)(?:ging|ing)?[ -]?in\b",
            r"\bpasswords?\b",
            r"\blocked out\b",
            r"\b(?:access|trouble with|problem with) my account\b",
        ),
    ),
    (
        "billing",
        (
            r"\bbill(?:s|ing|ed)?\b",
            r"\binvoices?\b",
            r"\b(?:over)?charged?\b",
            r"\b(?:payments?|credit card)\b",
        ),
    ),
    (
        "shipping",
        (
            r"\bship(?:s|ping|ped|ment)?\b",
            r"\bdeliver(?:y|ed|ies)?\b",
            r"\b(?:parcel|package)\b",
            r"\b(?:tracking|courier)\b",
        ),
    ),
    (
        "cancellation",
        (
            r"\bcancel(?:s|led|ling|lation)?\b",
            r"\bunsubscribe\b",
            r"\bend my (?:plan|contract|subscription)\b",
        ),
    ),
    (
        "privacy",
        (
            r"\bprivacy\b",
            r"\b(?:personal data|gdpr)\b",
            r"\bdelete my (?:data|account)\b",
            r"\bcookies?\b",
        ),
    ),
    (
        "feature",
        (
            r"\bfeatures?\b",
            r"\bwould be (?:nice|great)\b",
            r"\bplease add\b",
            r"\bsuggestion\b",
        ),
    ),
    (
        "technical",
        (
            r"\b(?:errors?|bugs?)\b",
            r"\b(?:crash|freez)(?:e|es|ed|ing)?\b",
            r"\b(?:slow|performance)\b",
            r"\b(?:not working|doesn't work|broken)\b",
            r"\btechnical\b",
        ),
    ),
)

_PRODUCTS = (
    "microwave|dishwasher|washing machine|coffee maker|coffee machine|toaster|kettle|blender|oven|"
    "fridge|freezer|vacuum cleaner|lamp|sofa|desk|chair|table|tent|jacket|shoes|headphones|laptop|"
    "phone|tablet|printer|camera|television|radio|watch|bike"
)
_NUMBER_WORDS = {
    word: value
    for value, word in enumerate(
        "one two three four five six seven eight nine ten eleven twelve".split(), start=1
    )
} | {"a": 1, "an": 1}
_DAYS_PER_UNIT = {"day": 1, "week": 7, "month": 30, "year": 365}
_NUMBER = r"(\d{1,4}|" + "|".join(_NUMBER_WORDS) + r")"
_SPAN = _NUMBER + r"(?:\s+|-)(day|week|month|year)s?"
_AGE = re.compile(rf"\b{_SPAN}\s+(?:ago|back|old|earlier)\b")
_LIMIT = re.compile(rf"\b{_SPAN}\b")
_RELATIVE_AGES = {"today": 0, "yesterday": 1, "last week": 7, "last month": 30, "last year": 365}
_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
_ORDER = re.compile(r"\border\s+(?:number\s+|no\.?\s+|#\s*)?(\d{4,12})\b")
_DEMANDS = re.compile(r"\b(?:just )?(?:fix (?:it|this)|do something|make it work|sort it out)\b")
_ANGER = re.compile(
    r"\b(?:angry|furious|fed up|ridiculous|unacceptable|terrible|worst|joke|useless)\b|!!"
)
_LOST_RECEIPT = re.compile(
    r"\b(?:lost|without|no longer have|don't have|no)\b[^.?!]{0,20}\breceipt\b"
)


@dataclass(frozen=True)
class Situation:
    """What could be learnt from a conversation."""

    topic: str  # One of the names in _TOPIC_PATTERNS, or "unclear".
    product: str  # "" if none was named.
    platform: str  # "website", "app" or "".
    email: str
    order: str
    age_days: int | None  # How long ago the customer bought it.
    angry: bool
    demanding: bool  # Wants it solved, adds no information.
    receipt_lost: bool
    seed: int  # Chooses among phrases of equal meaning.


@dataclass(frozen=True)
class ReturnTerms:
    """What the policies say about returns."""

    limit_days: int
    receipt_required: bool


def policies_for_user(user_id: int | str) -> list[str]:
    """The return terms differ by customer: number 1 has 30 days, everybody else 90."""
    days = 30 if str(user_id) == "1" else 90
    return [f"All returns must be processed within {days} days of purchase, with a valid receipt."]


def respond(
    messages: Sequence[Message],
    follow_policies: list[str] | None = None,
    rude_and_verbose: bool = False,
) -> str:
    """Answers the last user message of a conversation.

    Args:
      messages: the conversation, oldest first; each with "role" and a text "content".
      follow_policies: texts the answer keeps to; None or empty means the answer knows of none.
      rude_and_verbose: chooses the manner.

    Raises:
      ValueError: the messages are malformed or hold nothing from the user.
    """
    situation = understand(messages)
    terms = return_terms(follow_policies or [])
    if rude_and_verbose:
        return _rude_answer(situation, terms)
    return _polite_answer(situation, terms)


def customer_support_app(issue: str) -> dict[str, str]:
    """The single-turn application: one answer for one described issue."""
    if not isinstance(issue, str) or not issue.strip():
        raise ValueError("issue: must be a text that is not empty")
    situation = understand([{"role": "user", "content": issue}])
    text = phrases.ISSUE_ANSWERS[situation.topic]
    if situation.order:
        text = f"Thank you for including the number of order {situation.order}. {text}"
    if situation.angry:
        text = f"I understand how frustrating this must be. {text}"
    return {"response": text}


def understand(messages: Sequence[Message]) -> Situation:
    """Collects what the user's turns tell; the newest turn that names something wins."""
    turns = _user_turns(messages)
    newest_first = [turn.lower().replace("\u2019", "'") for turn in reversed(turns)]
    last = turns[-1]
    return Situation(
        topic=next((t for t in map(detect_topic, newest_first) if t != "unclear"), "unclear"),
        product=_first_match(re.compile(rf"\b({_PRODUCTS})s?\b"), newest_first),
        platform=next((p for p in map(_platform, newest_first) if p), ""),
        email=_first_match(_EMAIL, newest_first),
        order=_first_match(_ORDER, newest_first),
        age_days=next((a for a in map(purchase_age_days, newest_first) if a is not None), None),
        angry=_is_angry(last),
        demanding=bool(_DEMANDS.search(newest_first[0])),
        receipt_lost=any(_LOST_RECEIPT.search(turn) for turn in newest_first),
        seed=zlib.crc32(last.encode("utf-8", "replace")),
    )


def detect_topic(text: str) -> str:
    """The topic with the most keyword hits in lower-case `text`, or "unclear"."""
    best, best_hits = "unclear", 0
    for topic, patterns in _TOPIC_PATTERNS:
        hits = sum(1 for pattern in patterns if re.search(pattern, text))
        if hits > best_hits:
            best, best_hits = topic, hits
    return best


def purchase_age_days(text: str) -> int | None:
    """Days since the purchase as `text` (lower case) tells; months count 30 days, years 365."""
    match = _AGE.search(text)
    if match:
        return _days(match)
    return next((days for words, days in _RELATIVE_AGES.items() if words in text), None)


def return_terms(policies: Sequence[str]) -> ReturnTerms | None:
    """The strictest return limit in the policies; None if none speaks of returns."""
    found = None
    for policy in policies:
        text = policy.lower()
        match = _LIMIT.search(text)
        if "return" not in text or not match:
            continue
        receipt = "receipt" in text or "proof of purchase" in text
        if found is None or _days(match) < found.limit_days:
            found = ReturnTerms(_days(match), receipt)
    return found


def _days(match: re.Match[str]) -> int:
    number, unit = match.group(1), match.group(2)
    count = int(number) if number.isdigit() else _NUMBER_WORDS[number]
    return count * _DAYS_PER_UNIT[unit]


def _user_turns(messages: Sequence[Message]) -> list[str]:
    if isinstance(messages, (str, bytes)) or not isinstance(messages, Sequence):
        raise ValueError("messages: must be a list of messages")
    turns = []
    for index, message in enumerate(messages):
        if not isinstance(message, Mapping) or not isinstance(message.get("content"), str):
            raise ValueError(f"messages[{index}]: must have a text 'content'")
        if message.get("role") not in ("system", "user", "assistant"):
            raise ValueError(f"messages[{index}].role: must be system, user or assistant")
        if message["role"] == "user":
            turns.append(message["content"])
    if not turns:
        raise ValueError("messages: at least one message must be from the user")
    return turns


def _first_match(pattern: re.Pattern[str], texts: Sequence[str]) -> str:
    for text in texts:
        match = pattern.search(text)
        if match:
            return match.group(1) if pattern.groups else match.group(0)
    return ""


def _platform(text: str) -> str:
    if re.search(r"\b(?:web ?site|browser|web page|desktop)\b", text):
        return "website"
    return "app" if re.search(r"\b(?:mobile|app|android|iphone|ios)\b", text) else ""


def _is_angry(text: str) -> bool:
    letters = [c for c in text if c.isalpha()]
    shouting = len(letters) >= 8 and sum(c.isupper() for c in letters) > 0.7 * len(letters)
    return shouting or bool(_ANGER.search(text.lower()))


def _return_outcome(situation: Situation, terms: ReturnTerms | None) -> str:
    """Names the case of a return request; both manners have an answer for each."""
    if terms is None:
        return "unrestricted"
    if situation.age_days is None:
        return "age_unknown"
    if situation.age_days > terms.limit_days:
        return "too_late"
    if terms.receipt_required:
        return "receipt_lost" if situation.receipt_lost else "allowed_with_receipt"
    return "allowed"


def _answer_key(situation: Situation, terms: ReturnTerms | None) -> str:
    if situation.topic == "return":
        return "return_" + _return_outcome(situation, terms)
    if situation.topic != "login":
        return situation.topic
    if situation.email:
        return "login_email"
    if situation.demanding:
        return "login_demand"
    return f"login_{situation.platform}" if situation.platform else "login"


def _fill(text: str, situation: Situation) -> str:
    values = {
        "product": situation.product or "product",
        "email": situation.email,
        "order": f"order {situation.order}" if situation.order else "your order",
    }
    return re.sub(r"\{(\w+)\}", lambda match: values[match.group(1)], text)


def _polite_answer(situation: Situation, terms: ReturnTerms | None) -> str:
    key = _answer_key(situation, terms)
    text = _fill(phrases.POLITE[key], situation)
    if situation.angry and key != "login_demand":
        text = f"{_choose(phrases.CALMING, situation.seed)} {text}"
    return text


def _rude_answer(situation: Situation, terms: ReturnTerms | None) -> str:
    opening = _choose(phrases.RUDE_OPENINGS, situation.seed)
    body = _fill(phrases.RUDE[_answer_key(situation, terms)], situation)
    closing = _choose(phrases.RUDE_CLOSINGS, situation.seed // 7)
    return f"{opening} {body} {closing}"


def _choose(options: Sequence[str], seed: int) -> str:
    return options[seed % len(options)]
