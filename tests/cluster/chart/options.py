"""Values with every option of the chart on."""

from typing import Any

EVERYTHING: dict[str, Any] = {
    "commonLabels": {"example.com/team": "platform"},
    "image": {"registry": "registry.example:5000", "repository": "ops/isthmus", "digest": f"sha256:{'a' * 64}"},
    "imagePullSecrets": [{"name": "pull"}],
    "hub": {
        "currency": "EUR",
        "accelerators": [{"resourceName": "example.com/npu", "vendor": "Example", "memoryUnit": "GiB"}],
        "allowExec": True,
        "logLevel": "debug",
        "logFormat": "console",
    },
    "ledger": {
        "persistence": {"storageClass": "fast", "annotations": {"example.com/backup": "daily"}, "size": "20Gi"},
    },
    "service": {"port": 9090, "annotations": {"example.com/a": "b"}, "labels": {"example.com/c": "d"}},
    "metrics": {
        "scrapeAnnotations": True,
        "serviceMonitor": {
            "enabled": True,
            "labels": {"release": "prometheus"},
            "annotations": {"example.com/a": "b"},
            "relabelings": [{"action": "labeldrop", "regex": "pod"}],
            "metricRelabelings": [{"action": "drop", "regex": "python_.*", "sourceLabels": ["__name__"]}],
        },
    },
    "networkPolicy": {
        "enabled": True,
        "metricsFrom": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}],
        "egress": {
            "apiServerCidrs": ["10.0.0.0/8", "fd00::/8"],
            "dnsPorts": [53, 5353],
            "extra": [{"ports": [{"port": 5432, "protocol": "TCP"}]}],
        },
    },
    "proxy": {
        "httpProxy": "http://outbound.example:3128",
        "httpsProxy": "http://outbound.example:3128",
        "noProxy": "10.0.0.0/8,.svc",
    },
    "serviceAccount": {"annotations": {"example.com/role": "hub"}},
    "localMember": {"enabled": True},
    "podAnnotations": {"example.com/a": "b"},
    "podLabels": {"example.com/c": "d"},
    "nodeSelector": {"kubernetes.io/os": "linux"},
    "tolerations": [{"key": "infra", "operator": "Exists"}],
    "affinity": {
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {
                "nodeSelectorTerms": [{"matchExpressions": [{"key": "infra", "operator": "Exists"}]}]
            }
        }
    },
    "priorityClassName": "system-cluster-critical",
    "extraEnv": [{"name": "TZ", "value": "Asia/Shanghai"}],
    "extraVolumes": [{"name": "plugins", "emptyDir": {}}],
    "extraVolumeMounts": [{"name": "plugins", "mountPath": "/plugins"}],
    "extraObjects": [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "{{ .Release.Name }}-more"}},
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: as-text\n",
    ],
}
