"""Tests of the predictor. Run: python3 -m pytest examples/support_app"""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import predictor_server  # noqa: E402
from serving import BadArgument  # noqa: E402

USER = [{"role": "user", "content": "I bought a microwave 2 months ago. Can I return it?"}]
TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"


def answer(inputs, **parameters):
    recorder = predictor_server.Recorder(TRACE, PARENT)
    return predictor_server.answer(inputs, parameters, recorder), recorder


class Context:
    def __init__(self, traceparent):
        self._traceparent = traceparent

    def invocation_metadata(self):
        return (("other", "x"), ("traceparent", self._traceparent))


class Answers(unittest.TestCase):
    def test_messages_get_a_chat_completion(self):
        outputs, _ = answer({"messages": USER})
        self.assertEqual(outputs["choices"][0]["message"]["role"], "assistant")

    def test_an_issue_gets_a_response(self):
        outputs, _ = answer({"issue": "My parcel is late."})
        self.assertTrue(outputs["response"])

    def test_policies_are_named_and_kept_only_if_asked(self):
        kept, _ = answer({"user_messages": USER, "user_id": 1}, follow_policies=True)
        ignored, _ = answer({"user_messages": USER, "user_id": 1})
        self.assertIn("30 days", kept["policies_followed"][0])
        self.assertEqual(kept["policies_followed"], ignored["policies_followed"])
        self.assertNotEqual(kept["message"], ignored["message"])

    def test_the_variants_differ(self):
        self.assertNotEqual(answer({"messages": USER})[0], answer({"messages": USER}, rude_and_verbose=True)[0])

    def test_bad_inputs_are_the_callers_fault(self):
        for inputs in ({}, [], {"issue": ""}, {"messages": []}, {"user_messages": USER}, {"messages": [{"role": "x"}]}):
            with self.assertRaises(BadArgument, msg=str(inputs)):
                answer(inputs)


class Spans(unittest.TestCase):
    def test_they_are_below_the_callers_and_the_same_each_time(self):
        recorders = []
        for _ in range(2):
            outputs, recorder = answer({"user_messages": USER, "user_id": 1})
            recorder.finish({}, outputs)
            recorders.append(recorder)
        first, second = (recorder.spans for recorder in recorders)
        self.assertEqual([span["span_id"] for span in first], [span["span_id"] for span in second])
        self.assertEqual(len({span["span_id"] for span in first}), 3)
        root = first[-1]
        self.assertEqual(root["parent_span_id"], PARENT)
        self.assertEqual({span["parent_span_id"] for span in first[:-1]}, {root["span_id"]})
        self.assertEqual({span["trace_id"] for span in first}, {TRACE})

    def test_the_parent_comes_from_a_traceparent_of_the_same_trace(self):
        parent_of = predictor_server._parent_of  # pylint: disable=protected-access
        self.assertEqual(parent_of(Context(f"00-{TRACE}-{PARENT}-01"), TRACE), PARENT)
        for other in (f"00-{'1' * 32}-{PARENT}-01", "nonsense", ""):
            self.assertEqual(parent_of(Context(other), TRACE), "")


if __name__ == "__main__":
    unittest.main()
