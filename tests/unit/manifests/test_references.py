from typing import Any

from isthmus.manifests import Reference, references

POD: dict[str, Any] = {
    "serviceAccountName": "runner",
    "imagePullSecrets": [{"name": "registry"}],
    "resourceClaims": [
        {"name": "a", "resourceClaimName": "gpu"},
        {"name": "b", "resourceClaimTemplateName": "gpus"},
    ],
    "volumes": [
        {"name": "a", "configMap": {"name": "settings", "optional": True}},
        {"name": "b", "secret": {"secretName": "key"}},
        {"name": "c", "persistentVolumeClaim": {"claimName": "data"}},
        {
            "name": "d",
            "projected": {
                "sources": [
                    {"serviceAccountToken": {"path": "t"}},
                    {"configMap": {"name": "kube-root-ca.crt"}},
                    {"configMap": {"name": "more"}},
                    {"secret": {"name": "hidden"}},
                ]
            },
        },
        {"name": "e", "csi": {"driver": "x", "nodePublishSecretRef": {"name": "csi"}}},
        {"name": "f", "cephfs": {"monitors": [], "secretRef": {"name": "ceph"}}},
        {"name": "g", "azureFile": {"shareName": "x", "secretName": "azure"}},
        {"name": "h", "emptyDir": {}},
    ],
    "initContainers": [{"name": "i", "envFrom": [{"prefix": "P_", "secretRef": {"name": "env", "optional": True}}]}],
    "containers": [
        {
            "name": "c",
            "env": [
                {"name": "PLAIN", "value": "1"},
                {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
                {"name": "C", "valueFrom": {"configMapKeyRef": {"name": "values", "key": "c"}}},
                {"name": "S", "valueFrom": {"secretKeyRef": {"name": "token", "key": "s"}}},
            ],
            "envFrom": [{"configMapRef": {"name": "all"}}],
        }
    ],
}


def test_every_place() -> None:
    """Each place of a pod template that can name a namespaced object is found, with its field."""
    at = "template.spec."
    assert references({"template": {"spec": POD}}) == (
        Reference("ServiceAccount", "runner", f"{at}serviceAccountName", optional=False),
        Reference("Secret", "registry", f"{at}imagePullSecrets[0].name", optional=False),
        Reference("ResourceClaim", "gpu", f"{at}resourceClaims[0].resourceClaimName", optional=False),
        Reference("ResourceClaimTemplate", "gpus", f"{at}resourceClaims[1].resourceClaimTemplateName", optional=False),
        Reference("ConfigMap", "settings", f"{at}volumes[0].configMap.name", optional=True),
        Reference("Secret", "key", f"{at}volumes[1].secret.secretName", optional=False),
        Reference("PersistentVolumeClaim", "data", f"{at}volumes[2].persistentVolumeClaim.claimName", optional=False),
        Reference("ConfigMap", "more", f"{at}volumes[3].projected.sources[2].configMap.name", optional=False),
        Reference("Secret", "hidden", f"{at}volumes[3].projected.sources[3].secret.name", optional=False),
        Reference("Secret", "csi", f"{at}volumes[4].csi.nodePublishSecretRef.name", optional=False),
        Reference("Secret", "ceph", f"{at}volumes[5].cephfs.secretRef.name", optional=False),
        Reference("Secret", "azure", f"{at}volumes[6].azureFile.secretName", optional=False),
        Reference("Secret", "env", f"{at}initContainers[0].envFrom[0].secretRef.name", optional=True),
        Reference("ConfigMap", "values", f"{at}containers[0].env[2].valueFrom.configMapKeyRef.name", optional=False),
        Reference("Secret", "token", f"{at}containers[0].env[3].valueFrom.secretKeyRef.name", optional=False),
        Reference("ConfigMap", "all", f"{at}containers[0].envFrom[0].configMapRef.name", optional=False),
    )


def test_deprecated_service_account() -> None:
    """The old name of serviceAccountName counts too."""
    assert references({"template": {"spec": {"serviceAccount": "old"}}}) == (
        Reference("ServiceAccount", "old", "template.spec.serviceAccount", optional=False),
    )


def test_wrong_types() -> None:
    """What has the wrong type names nothing."""
    pod = {"volumes": {"a": 1}, "containers": [None, {"env": "x"}, {"env": [{"valueFrom": []}]}], "serviceAccount": 7}
    assert references({"template": {"spec": pod}}) == ()
    assert references({"template": None}) == ()
