from isthmus.manifests import is_placeholder, job_labels, placeholder


def test_holds_the_name_and_runs_nothing() -> None:
    """The placeholder has the Dispatch's name and labels, no pods, and can be told from the real Job."""
    labels = job_labels(hub_uid="h", node="n", dispatch="d-1", namespace="team", job_uid="u")
    manifest = placeholder("d-1", "iwt-a-b", labels)
    assert manifest["metadata"]["name"] == "d-1"
    assert manifest["metadata"]["namespace"] == "iwt-a-b"
    assert labels.items() <= manifest["metadata"]["labels"].items()
    assert manifest["spec"]["suspend"] is True
    assert manifest["spec"]["parallelism"] == 0
    assert is_placeholder(manifest["metadata"]["labels"])
    assert not is_placeholder(labels)
