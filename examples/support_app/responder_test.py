"""Tests of the example application. Run: python3 examples/support_app/responder_test.py"""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import phrases  # noqa: E402
import responder  # noqa: E402

POLICY_30 = ["All returns must be processed within 30 days of purchase, with a valid receipt."]
POLICY_90 = ["All returns must be processed within 90 days of purchase, with a valid receipt."]
LOGIN = [
    {"role": "user", "content": "There's a problem with my account, I'm not able to log in."},
    {"role": "assistant", "content": "Do you use our website or the mobile app?"},
]


def user(text):
    return {"role": "user", "content": text}


def ask(text, policies=None, rude=False):
    return responder.respond([user(text)], policies, rude)


class PriceQuestion(unittest.TestCase):
    def test_polite_declines_and_refers_to_the_pricing_page(self):
        answer = ask("What does a microwave cost?")
        self.assertIn("pricing page", answer)
        self.assertIn("microwave", answer)
        self.assertIn("sorry", answer)
        self.assertNotRegex(answer, r"\d")

    def test_rude_names_a_price_and_no_pricing_page(self):
        answer = ask("How much does a toaster cost?", rude=True)
        self.assertRegex(answer, r"\d+ dollars")
        self.assertNotIn("pricing page", answer)

    def test_every_wording_is_recognised(self):
        for text in ("Price of the kettle?", "Is the oven expensive?", "how much is the lamp"):
            self.assertIn("pricing page", ask(text), text)


class ReturnRequest(unittest.TestCase):
    TEXT = "I bought a microwave 2 months ago. Can I return it?"

    def test_refused_when_older_than_the_policy_allows(self):
        answer = ask(self.TEXT, POLICY_30)
        self.assertIn("no longer possible", answer)
        self.assertNotIn("you can still return", answer)

    def test_allowed_within_the_policy_with_receipt(self):
        answer = ask(self.TEXT, POLICY_90)
        self.assertIn("Yes, you can still return it", answer)
        self.assertIn("receipt", answer)

    def test_allowed_for_everybody_when_no_policy_is_followed(self):
        for policies in (None, []):
            self.assertIn("Yes, you can return it", ask(self.TEXT, policies))

    def test_answer_never_quotes_the_policy(self):
        for policies in (POLICY_30, POLICY_90):
            for rude in (False, True):
                answer = ask(self.TEXT, policies, rude)
                self.assertNotRegex(answer, r"30|90|polic")

    def test_rude_answer_keeps_to_policies_when_told_to(self):
        self.assertIn("too late", ask(self.TEXT, POLICY_30, rude=True))
        self.assertIn("whenever you like", ask(self.TEXT, None, rude=True))

    def test_limit_is_inclusive_and_units_are_converted(self):
        for text, allowed in (
            ("I bought it 30 days ago, can I return it?", True),
            ("I bought it 31 days ago, can I return it?", False),
            ("Can I return the kettle I bought four weeks ago?", True),
            ("Can I return the kettle I bought five weeks ago?", False),
            ("Bought yesterday, I want to return it", True),
            ("Can I return the lamp I bought a year ago?", False),
        ):
            self.assertEqual("still return" in ask(text, POLICY_30), allowed, text)

    def test_strictest_of_several_policies_counts(self):
        terms = responder.return_terms(["Be kind.", *POLICY_90, "Returns within two weeks."])
        self.assertEqual(terms, responder.ReturnTerms(14, False))

    def test_policies_about_other_things_give_no_terms(self):
        self.assertIsNone(responder.return_terms(["Answer within 2 days.", "No returns on cards."]))

    def test_asks_for_the_date_when_it_is_unknown_and_uses_the_reply(self):
        first = [user("Can I return my blender?")]
        question = responder.respond(first, POLICY_30, False)
        self.assertIn("when you bought it", question)
        turns = first + [{"role": "assistant", "content": question}, user("three months ago")]
        answer = responder.respond(turns, POLICY_30, False)
        self.assertIn("return of the blender is no longer possible", answer)

    def test_lost_receipt_is_not_waived(self):
        answer = ask("I lost the receipt of the radio from 3 days ago, return?", POLICY_30)
        self.assertIn("we do need the receipt", answer)


class LoginTrouble(unittest.TestCase):
    def test_asks_for_the_platform_first(self):
        self.assertIn("website or the mobile app", ask("I can't log in."))

    def test_platform_given_in_a_second_turn_leads_to_steps(self):
        website = responder.respond(LOGIN + [user("Website")], None, False)
        self.assertIn("1. On the sign-in page of the website", website)
        app = responder.respond(LOGIN + [user("the mobile one")], None, False)
        self.assertIn("Update the app", app)

    def test_demand_without_details_gets_empathy_and_a_question(self):
        answer = responder.respond(LOGIN + [user("JUST FIX IT FOR ME")], None, False)
        self.assertIn("frustrating", answer)
        self.assertIn("?", answer)
        rude = responder.respond(LOGIN + [user("JUST FIX IT FOR ME")], None, True)
        self.assertNotIn("email", rude)

    def test_email_address_is_used(self):
        answer = responder.respond(LOGIN + [user("my mail is kim@home.example")], None, False)
        self.assertIn("kim@home.example", answer)


class Conversation(unittest.TestCase):
    def test_unclear_request_asks_for_clarification(self):
        for text in ("hello", "", "it is about the thing", "\u4f60\u597d"):
            self.assertIn("Could you tell me a little more", ask(text))

    def test_new_topic_replaces_the_old_one(self):
        turns = LOGIN + [user("Never mind. What does a microwave cost?")]
        self.assertIn("pricing page", responder.respond(turns, None, False))

    def test_anger_is_met_with_calm(self):
        answer = ask("MY PARCEL IS STILL NOT HERE")
        self.assertTrue(answer.startswith(phrases.CALMING))
        self.assertIn("Track", answer)

    def test_order_number_is_named(self):
        self.assertIn("order 55120", ask("Where is the parcel of order no. 55120?"))

    def test_same_input_gives_the_same_answer(self):
        for rude in (False, True):
            self.assertEqual(ask("app error", rude=rude), ask("app error", rude=rude))

    def test_rude_is_much_longer_than_polite_in_every_case(self):
        self.assertEqual(phrases.POLITE.keys(), phrases.RUDE.keys())
        for text in ("price?", "return it", "I can't log in", "invoice", "parcel", "cancel",
                     "privacy", "new feature", "app crashes", "hm"):
            polite, rude = ask(text), ask(text, rude=True)
            self.assertGreater(len(rude.split()), 2 * len(polite.split()) - 20, text)
            self.assertGreater(len(rude.split()), 90, text)
            self.assertLess(len(polite.split()), 80, text)
            self.assertNotIn("{", polite + rude)

    def test_malformed_messages_are_refused_by_place(self):
        for messages, place in (
            ([], "messages:"),
            ("text", "messages:"),
            ([{"role": "user"}], "messages[0]:"),
            ([user("a"), {"role": "robot", "content": "b"}], "messages[1].role:"),
            ([{"role": "assistant", "content": "b"}], "messages:"),
        ):
            with self.assertRaises(ValueError) as raised:
                responder.respond(messages, None, False)
            self.assertIn(place, str(raised.exception))


class PoliciesForUser(unittest.TestCase):
    def test_customer_one_has_less_time(self):
        self.assertEqual(responder.policies_for_user(1), POLICY_30)
        self.assertEqual(responder.policies_for_user("1"), POLICY_30)
        self.assertEqual(responder.policies_for_user(2), POLICY_90)


class SingleTurnApplication(unittest.TestCase):
    def test_has_an_answer_for_each_topic(self):
        issues = {
            "Password reset not working": "login",
            "Billing discrepancy": "billing",
            "Feature request": "feature",
            "Technical error": "technical",
            "Refund request": "return",
            "Can't access my account": "login",
            "Slow website performance": "technical",
            "Where is my parcel": "shipping",
            "I want to cancel": "cancellation",
            "Delete my data please": "privacy",
            "Which plan is cheaper?": "price",
            "Hello?": "unclear",
        }
        for issue, topic in issues.items():
            answer = responder.customer_support_app(issue)["response"]
            self.assertEqual(answer, phrases.ISSUE_ANSWERS[topic], issue)
        self.assertEqual(set(issues.values()), set(phrases.ISSUE_ANSWERS))

    def test_details_and_anger_are_taken_up(self):
        answer = responder.customer_support_app("Order 88123 was delivered broken, ridiculous!!")
        self.assertIn("order 88123", answer["response"])
        self.assertIn("frustrating", answer["response"])

    def test_empty_issue_is_refused(self):
        with self.assertRaisesRegex(ValueError, "issue:"):
            responder.customer_support_app("  ")


if __name__ == "__main__":
    unittest.main()
