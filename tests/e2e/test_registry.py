"""Experiments, judges, revisions, aliases."""

import pytest
from assay.registry.v1 import experiment_service_pb2 as experiments_pb2
from assay.registry.v1 import judge_registry_service_pb2 as judges_pb2
from assay_client import call, request_id
from checks import create_judge, pages, quality_judge, refused, unchanged


def update(experiment, **more):
    request = experiments_pb2.UpdateExperimentRequest(name=experiment, request_id=request_id(), **more)
    request.experiment.display_name = "Renamed"
    request.update_mask.paths.append("display_name")
    return request


def test_an_experiment_is_created_read_listed_and_renamed(client, experiment):
    got = call(client.experiments.GetExperiment, experiments_pb2.GetExperimentRequest(name=experiment)).experiment
    assert got.name == experiment and got.uid and got.etag and got.create_principal
    listed = pages(client.experiments.ListExperiments, experiments_pb2.ListExperimentsRequest(page_size=2), "experiments")
    assert experiment in [each.name for each in listed]
    renamed = call(client.experiments.UpdateExperiment, update(experiment, etag=got.etag)).experiment
    assert renamed.display_name == "Renamed" and renamed.etag != got.etag and renamed.uid == got.uid


def test_a_judge_has_revisions_and_movable_aliases(client, experiment):
    judge = create_judge(client, experiment)
    assert judge.latest_revision.revision == 1
    assert judge.aliases["latest"] == 1
    second = call(
        client.judges.CreateJudgeRevision,
        judges_pb2.CreateJudgeRevisionRequest(
            parent=judge.name,
            definition=quality_judge(instructions="Rate {{ outputs }}."),
            etag=judge.etag,
            request_id=request_id(),
        ),
    ).revision
    assert second.name == f"{judge.name}/revisions/2"
    call(
        client.judges.SetJudgeAlias,
        judges_pb2.SetJudgeAliasRequest(name=judge.name, alias="production", revision=1, request_id=request_id()),
    )
    for form, number in (("", 2), ("@production", 1), ("@2", 2), ("/revisions/1", 1), ("@latest", 2)):
        got = call(client.judges.GetJudgeRevision, judges_pb2.GetJudgeRevisionRequest(name=judge.name + form))
        assert got.revision.revision == number, form
    revisions = pages(client.judges.ListJudgeRevisions, judges_pb2.ListJudgeRevisionsRequest(parent=judge.name, page_size=1), "revisions")
    assert [each.revision for each in revisions] == [2, 1]
    after = call(
        client.judges.DeleteJudgeAlias,
        judges_pb2.DeleteJudgeAliasRequest(name=judge.name, alias="production", request_id=request_id()),
    ).judge
    assert dict(after.aliases) == {"latest": 2}


def test_a_revision_keeps_the_whole_definition(client, experiment):
    definition = quality_judge(model="offline:/lexical")
    definition.inference_parameters["temperature"] = 0.5
    definition.description = "Ünïcode, и ещё"
    definition.memory.guidelines.add(text="Be fair.")
    judge = create_judge(client, experiment, definition=definition)
    got = call(client.judges.GetJudgeRevision, judges_pb2.GetJudgeRevisionRequest(name=judge.name)).revision.definition
    assert got == definition


@pytest.mark.parametrize(
    "instructions, reason",
    [
        ("Rate {{ output }}.", "UNKNOWN_TEMPLATE_VARIABLE"),
        ("Rate {{ outputs }} by {{ guidelines }}.", "UNKNOWN_TEMPLATE_VARIABLE"),
        ("Rate the answer.", "MISSING_TEMPLATE_VARIABLE"),
    ],
)
def test_bad_instructions_are_refused(client, experiment, instructions, reason):
    request = judges_pb2.CreateJudgeRequest(
        parent=experiment, judge_id="quality", definition=quality_judge(instructions=instructions)
    )
    with unchanged(client, experiment):
        failure = refused(client.judges.CreateJudge, request, "INVALID_ARGUMENT", reason)
    assert any("instructions" in field for field in failure.fields), failure.fields
    if reason == "UNKNOWN_TEMPLATE_VARIABLE":
        assert "outputs" in failure.message  # What is allowed.


def test_a_missing_field_is_named(client, experiment):
    with unchanged(client, experiment):
        failure = refused(
            client.judges.CreateJudge,
            judges_pb2.CreateJudgeRequest(parent=experiment, judge_id="quality"),
            "INVALID_ARGUMENT",
            "INVALID_FIELD",
        )
    assert any("definition" in field for field in failure.fields), failure.fields


@pytest.mark.parametrize("name", ["", "experiments", "experiments/", "experiments/UPPER", "judges/x", "experiments/a/b"])
def test_a_bad_resource_name_is_refused(client, experiment, name):
    failure = refused(
        client.experiments.GetExperiment,
        experiments_pb2.GetExperimentRequest(name=name),
        "INVALID_ARGUMENT",
        "INVALID_NAME",
        field="name",
    )
    assert name == "" or "experiments/{experiment}" in failure.message


def test_an_unknown_revision_and_an_unknown_alias_are_told_apart(client, experiment):
    judge = create_judge(client, experiment)
    for form, reason in (("/revisions/7", "UNKNOWN_REVISION"), ("@7", "UNKNOWN_REVISION"), ("@staging", "UNKNOWN_ALIAS")):
        refused(
            client.judges.GetJudgeRevision,
            judges_pb2.GetJudgeRevisionRequest(name=judge.name + form),
            "NOT_FOUND",
            reason,
        )
    with unchanged(client, experiment):
        refused(
            client.judges.SetJudgeAlias,
            judges_pb2.SetJudgeAliasRequest(name=judge.name, alias="production", revision=9),
            "NOT_FOUND",
            "UNKNOWN_REVISION",
        )


def test_a_repeated_request_gets_the_same_answer(client, experiment):
    request = judges_pb2.CreateJudgeRequest(
        parent=experiment, judge_id="quality", definition=quality_judge(), request_id=request_id()
    )
    first = call(client.judges.CreateJudge, request)
    with unchanged(client, experiment):
        assert call(client.judges.CreateJudge, request) == first


def test_a_request_id_with_another_body_is_refused(client, experiment):
    request = judges_pb2.CreateJudgeRequest(
        parent=experiment, judge_id="quality", definition=quality_judge(), request_id=request_id()
    )
    call(client.judges.CreateJudge, request)
    request.judge_id = "other"
    with unchanged(client, experiment):
        refused(client.judges.CreateJudge, request, "INVALID_ARGUMENT", "REQUEST_ID_REUSED", field="request_id")


def test_a_stale_etag_is_refused(client, experiment):
    got = call(client.experiments.GetExperiment, experiments_pb2.GetExperimentRequest(name=experiment)).experiment
    call(client.experiments.UpdateExperiment, update(experiment, etag=got.etag))
    with unchanged(client, experiment):
        refused(client.experiments.UpdateExperiment, update(experiment, etag=got.etag), "ABORTED", "ETAG_MISMATCH")
    judge = create_judge(client, experiment)
    alias = judges_pb2.SetJudgeAliasRequest(name=judge.name, alias="production", revision=1, etag=judge.etag)
    call(client.judges.SetJudgeAlias, alias)
    alias.alias = "staging"
    with unchanged(client, experiment):
        refused(client.judges.SetJudgeAlias, alias, "ABORTED", "ETAG_MISMATCH")


@pytest.mark.parametrize("token", ["x", "AAAA", "not a token"])
def test_a_wrong_page_token_is_refused(client, experiment, token):
    refused(
        client.experiments.ListExperiments,
        experiments_pb2.ListExperimentsRequest(page_token=token),
        "INVALID_ARGUMENT",
        "INVALID_PAGE_TOKEN",
        field="page_token",
    )


def test_a_page_token_of_another_request_is_refused(client, experiment):
    create_judge(client, experiment, "one")
    create_judge(client, experiment, "two")
    page = call(client.judges.ListJudges, judges_pb2.ListJudgesRequest(parent=experiment, page_size=1))
    assert page.next_page_token
    refused(
        client.experiments.ListExperiments,
        experiments_pb2.ListExperimentsRequest(page_token=page.next_page_token),
        "INVALID_ARGUMENT",
        "INVALID_PAGE_TOKEN",
    )


def test_a_bad_filter_names_the_column(client, experiment):
    failure = refused(
        client.experiments.ListExperiments,
        experiments_pb2.ListExperimentsRequest(filter='display_name = "a" AND ) '),
        "INVALID_ARGUMENT",
        "INVALID_FILTER",
        field="filter",
    )
    assert failure.metadata["column"] == "24"
    assert "column 24" in failure.message


def test_an_oversized_message_is_refused(client, experiment):
    request = judges_pb2.CreateJudgeRequest(parent=experiment, judge_id="quality", definition=quality_judge())
    request.definition.description = "x" * (5 << 20)
    with unchanged(client, experiment):
        refused(client.judges.CreateJudge, request, "RESOURCE_EXHAUSTED", "MESSAGE_TOO_LARGE")
    request.definition.description = "x" * 5000
    with unchanged(client, experiment):
        failure = refused(client.judges.CreateJudge, request, "INVALID_ARGUMENT", "INVALID_FIELD")
    assert any("description" in field for field in failure.fields)


def test_limits_of_page_size(client, experiment):
    refused(
        client.experiments.ListExperiments,
        experiments_pb2.ListExperimentsRequest(page_size=-1),
        "INVALID_ARGUMENT",
        "INVALID_FIELD",
        field="page_size",
    )
