"""The traces of judgements' own calls, over real processes."""

import judge_traces
from assay.judge.v1 import judge_service_pb2 as judge_service
from assay.trace.v1 import trace_service_pb2 as trace_service
from assay_client import call, from_json, request_id, to_json
from checks import create_judge, export_trace, value_of


def ask(experiment, judge, **more):
    request = judge_service.JudgeRequest(parent=experiment, registered=judge.name, **more)
    if not request.trace:
        request.inputs.CopyFrom(to_json({"issue": "My parcel is late."}))
        request.outputs.CopyFrom(to_json({"response": "Sorry! I am happy to help."}))
    return request


def search(client, experiment, filter_text=""):
    request = trace_service.SearchTracesRequest(parent=experiment, filter=filter_text)
    return list(call(client.traces.SearchTraces, request).traces)


def test_a_judgement_is_a_trace_linked_to_its_feedback(client, experiment, llm):
    judge = create_judge(client, experiment)
    judged = export_trace(client, experiment, {"issue": "late"}, {"response": "go away"})
    answer = call(client.judge.Judge, ask(experiment, judge, trace=judged))
    name = answer.feedback.provenance.call_trace
    assert name.startswith(f"{experiment}/traces/")
    trace = judge_traces.wait_for(client, name)
    assert trace.metadata["assay_judge_call"] == "quality" and trace.metadata["assay_judged"] == judged
    (root,) = trace.spans
    assert root.span_type == "EVALUATOR" and from_json(root.outputs) == value_of(answer.feedback)
    assert root.usage.input_tokens == answer.feedback.provenance.usage.input_tokens
    assert "go away" in str(root.input_messages)


def test_searches_leave_judgements_out_unless_they_name_them(client, experiment, llm):
    judge = create_judge(client, experiment)
    judged = export_trace(client, experiment, {"issue": "late"}, {"response": "go away"})
    answer = call(client.judge.Judge, ask(experiment, judge, trace=judged))
    judge_traces.wait_for(client, answer.feedback.provenance.call_trace)
    assert [trace.name for trace in search(client, experiment)] == [judged]
    (found,) = search(client, experiment, "metadata.assay_judge_call : *")
    assert found.name == answer.feedback.provenance.call_trace
    assert len(search(client, experiment, f'metadata.assay_judged = "{judged}"')) == 0
    both = "metadata.assay_judge_call : * OR NOT metadata.assay_judge_call : *"
    assert len(search(client, experiment, both)) == 2


def test_a_repeated_request_is_one_trace(client, experiment, llm):
    judge = create_judge(client, experiment)
    request = ask(experiment, judge, request_id=request_id())
    first, again = (call(client.judge.Judge, request) for _ in range(2))
    assert first == again
    judge_traces.wait_for(client, first.feedback.provenance.call_trace)
    assert len(search(client, experiment, 'metadata.assay_judge_call = "quality"')) == 1


def test_an_answer_that_cannot_be_read_leaves_both_questions_in_the_trace(client, experiment, llm):
    llm.set_script({"sequence": [{"fault": "malformed_content", "times": 2}]})
    judge = create_judge(client, experiment)
    answer = call(client.judge.Judge, ask(experiment, judge))
    assert answer.feedback.error.code == "ANSWER_UNREADABLE" and answer.feedback.provenance.raw_answer
    trace = judge_traces.wait_for(client, answer.feedback.provenance.call_trace)
    assert len(trace.spans) == 3
    assert {span.span_type for span in trace.spans} == {"EVALUATOR", "CHAT_MODEL"}
