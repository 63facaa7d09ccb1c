"""The command line of each part of a cluster; docs/testbed.md says why the flags are as they are."""

import dataclasses
from pathlib import Path

from testbed.binaries import Binaries
from testbed.provider import ClusterSpec, Part

SERVICE_RANGE = "10.96.0.0/24"
ISSUER = "https://kubernetes.default.svc.cluster.local"
# Shorter than the default of 15 s, so that tests need not wait so long for a successor.
LEADER_ELECTION = [
    "--leader-elect-lease-duration=6s",
    "--leader-elect-renew-deadline=4s",
    "--leader-elect-retry-period=1s",
]
FRONT_PROXY = "front-proxy-client"  # the name under which the API server calls aggregated ones


@dataclasses.dataclass(frozen=True, slots=True)
class Ports:
    """The loopback ports of one cluster."""

    etcd: int
    etcd_peer: int
    apiserver: int
    controller_manager: int
    scheduler: int


@dataclasses.dataclass(frozen=True, slots=True)
class Layout:
    """Where one cluster's files lie."""

    root: Path

    @property
    def pki(self) -> Path:
        """Certificates and keys."""
        return self.root / "pki"

    @property
    def audit_log(self) -> Path:
        """The API server's audit log."""
        return self.root / "audit.jsonl"

    @property
    def audit_policy(self) -> Path:
        """What the audit log takes in."""
        return self.root / "audit-policy.yaml"

    @property
    def scheduler_config(self) -> Path:
        """The scheduler's configuration."""
        return self.root / "scheduler.yaml"

    @property
    def kwok_config(self) -> Path:
        """The kubelets' configuration and stages."""
        return self.root / "kwok.yaml"

    def kubeconfig(self, part: Part) -> Path:
        """The kubeconfig with which a part speaks to the API server."""
        return self.root / f"{part}.kubeconfig"

    def log(self, part: Part) -> Path:
        """What a part writes."""
        return self.root / f"{part}.log"


def commands(spec: ClusterSpec, binaries: Binaries, ports: Ports, files: Layout) -> dict[Part, list[str]]:
    """The parts that this cluster has, in the order in which they start."""
    parts = {
        Part.ETCD: _etcd(binaries, ports, files),
        Part.APISERVER: _apiserver(spec, binaries, ports, files),
        Part.CONTROLLER_MANAGER: _controller_manager(spec, binaries, ports, files),
    }
    if spec.scheduling:
        parts[Part.SCHEDULER] = _scheduler(binaries, ports, files)
        parts[Part.KWOK] = _kwok(binaries, files)
    return parts


def _etcd(binaries: Binaries, ports: Ports, files: Layout) -> list[str]:
    client = f"http://127.0.0.1:{ports.etcd}"
    peer = f"http://127.0.0.1:{ports.etcd_peer}"
    return [
        str(binaries.etcd),
        f"--data-dir={files.root / 'etcd'}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        "--unsafe-no-fsync",
        "--auto-compaction-mode=periodic",
        "--auto-compaction-retention=5m",
    ]


def _apiserver(spec: ClusterSpec, binaries: Binaries, ports: Ports, files: Layout) -> list[str]:
    pki = files.pki
    return [
        str(binaries.kube_apiserver),
        f"--etcd-servers=http://127.0.0.1:{ports.etcd}",
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        f"--secure-port={ports.apiserver}",
        "--endpoint-reconciler-type=none",
        "--authorization-mode=Node,RBAC",
        "--allow-privileged=true",
        f"--service-cluster-ip-range={SERVICE_RANGE}",
        f"--client-ca-file={pki / 'ca.crt'}",
        "--kubelet-preferred-address-types=InternalIP,Hostname",  # as kubeadm has it, where machines have an address
        f"--tls-cert-file={pki / 'server.crt'}",
        f"--tls-private-key-file={pki / 'server.key'}",
        f"--service-account-issuer={ISSUER}",
        f"--service-account-key-file={pki / 'service-accounts.key'}",
        f"--service-account-signing-key-file={pki / 'service-accounts.key'}",
        f"--requestheader-client-ca-file={pki / 'front-proxy-ca.crt'}",
        f"--requestheader-allowed-names={FRONT_PROXY}",
        "--requestheader-username-headers=X-Remote-User",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        f"--proxy-client-cert-file={pki / 'front-proxy.crt'}",
        f"--proxy-client-key-file={pki / 'front-proxy.key'}",
        f"--audit-policy-file={files.audit_policy}",
        f"--audit-log-path={files.audit_log}",
        "--shutdown-watch-termination-grace-period=1s",
        *([] if spec.mutating_policies else _no_mutating_policies()),
    ]


def _no_mutating_policies() -> list[str]:
    """Neither served nor, as the API server would wait for them, asked for by its own admission."""
    kinds = ("mutatingadmissionpolicies", "mutatingadmissionpolicybindings")
    off = ",".join(f"admissionregistration.k8s.io/v1/{kind}=false" for kind in kinds)
    return ["--disable-admission-plugins=MutatingAdmissionPolicy", f"--runtime-config={off}"]


def _serving(port: int, files: Layout) -> list[str]:
    return [
        "--bind-address=127.0.0.1",
        f"--secure-port={port}",
        f"--tls-cert-file={files.pki / 'server.crt'}",
        f"--tls-private-key-file={files.pki / 'server.key'}",
    ]


def _controller_manager(spec: ClusterSpec, binaries: Binaries, ports: Ports, files: Layout) -> list[str]:
    pki = files.pki
    return [
        str(binaries.kube_controller_manager),
        f"--kubeconfig={files.kubeconfig(Part.CONTROLLER_MANAGER)}",
        *_serving(ports.controller_manager, files),
        *(LEADER_ELECTION if spec.leader_elect else ["--leader-elect=false"]),
        "--use-service-account-credentials",
        f"--service-account-private-key-file={pki / 'service-accounts.key'}",
        f"--root-ca-file={pki / 'ca.crt'}",
        f"--cluster-signing-cert-file={pki / 'ca.crt'}",
        f"--cluster-signing-key-file={pki / 'ca.key'}",
        f"--kube-api-qps={spec.api_qps}",
        f"--kube-api-burst={spec.api_burst}",
        f"--node-monitor-grace-period={spec.node_grace_seconds}s",
    ]


def _scheduler(binaries: Binaries, ports: Ports, files: Layout) -> list[str]:
    return [
        str(binaries.kube_scheduler),
        f"--config={files.scheduler_config}",
        *_serving(ports.scheduler, files),
    ]


def _kwok(binaries: Binaries, files: Layout) -> list[str]:
    return [
        str(binaries.kwok),
        f"--config={files.kwok_config}",
        f"--kubeconfig={files.kubeconfig(Part.KWOK)}",
    ]
