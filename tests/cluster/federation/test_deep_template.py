from federation import Federation, compute_job
from testbed import Machine

MEMBERS = {"west": [Machine("plain", "16", "64Gi")]}
PATH = "/apis/isthmus.dev/v1alpha1/namespaces/team-a/computejobs"


def test_the_deepest_template_stops_nobody(fed: Federation) -> None:
    """A template nested as deep as the API server takes it is refused; other jobs go on, after a restart too."""
    deep = '{"a":' * 9_980 + "1" + "}" * 9_980
    kind = '"apiVersion": "isthmus.dev/v1alpha1", "kind": "ComputeJob", "metadata": {"name": "deep"}'
    body = f'{{{kind}, "spec": {{"template": {{"template": {deep}}}}}}}'
    fed.hub.kubectl("create", "--raw", PATH, "-f", "-", input=body)
    fed.hub.apply([compute_job("beside")])
    fed.wait_job("beside")
    fed.process.kill()
    fed.process.start()
    fed.hub.apply([compute_job("afterwards")])
    fed.wait_job("afterwards")
    path = "jsonpath={.status.conditions[?(@.type=='Failed')].reason}"
    assert fed.hub.kubectl("get", "cjob", "deep", "-n", "team-a", "-o", path) == "TemplateTooDeep"
    fed.hub.kubectl("delete", "cjob", "deep", "-n", "team-a", "--timeout=30s")
