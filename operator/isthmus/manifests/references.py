"""The namespaced objects that a pod template names, which a member's tenant namespace does not hold."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from .reading import mapping, sequence

ReferenceKind = Literal[
    "ConfigMap", "Secret", "ServiceAccount", "PersistentVolumeClaim", "ResourceClaim", "ResourceClaimTemplate"
]

# What every namespace has.
_EVERYWHERE = frozenset({("ServiceAccount", "default"), ("ConfigMap", "kube-root-ca.crt")})


@dataclass(frozen=True, slots=True)
class Reference:
    """One mention of a namespaced object; `path` is its field, counted from the JobSpec."""

    kind: ReferenceKind
    name: str
    path: str
    optional: bool


def references(template: dict[str, Any]) -> tuple[Reference, ...]:
    """Every mention of a namespaced object in the JobSpec, in the order of its fields.

    Looks into volumes (projected and CSI ones too), env, envFrom, imagePullSecrets, the ServiceAccount and resource
    claims. An object that every namespace holds (the ServiceAccount default, kube-root-ca.crt) is not listed.
    """
    pod = mapping(mapping(template.get("template")).get("spec"))
    path = "template.spec"
    found = (*_of_pod(pod, path), *_of_volumes(pod, path), *_of_containers(pod, path))
    return tuple(r for r in found if r.name and (r.kind, r.name) not in _EVERYWHERE)


def _reference(kind: ReferenceKind, source: Any, path: str, key: str = "name") -> Reference:  # noqa: ANN401  # JSON
    fields = mapping(source)
    name = fields.get(key)
    return Reference(kind, name if isinstance(name, str) else "", f"{path}.{key}", fields.get("optional") is True)


def _each(fields: dict[str, Any], key: str, path: str) -> Iterator[tuple[dict[str, Any], str]]:
    for i, item in enumerate(sequence(fields.get(key))):
        yield mapping(item), f"{path}.{key}[{i}]"


def _of_pod(pod: dict[str, Any], path: str) -> Iterator[Reference]:
    account = "serviceAccountName" if pod.get("serviceAccountName") else "serviceAccount"
    yield _reference("ServiceAccount", pod, path, account)
    for secret, at in _each(pod, "imagePullSecrets", path):
        yield _reference("Secret", secret, at)
    for claim, at in _each(pod, "resourceClaims", path):
        yield _reference("ResourceClaim", claim, at, "resourceClaimName")
        yield _reference("ResourceClaimTemplate", claim, at, "resourceClaimTemplateName")


def _of_volumes(pod: dict[str, Any], path: str) -> Iterator[Reference]:
    for volume, at in _each(pod, "volumes", path):
        yield _reference("ConfigMap", volume.get("configMap"), f"{at}.configMap")
        yield _reference("Secret", volume.get("secret"), f"{at}.secret", "secretName")
        claim = volume.get("persistentVolumeClaim")
        yield _reference("PersistentVolumeClaim", claim, f"{at}.persistentVolumeClaim", "claimName")
        for source, where in _each(mapping(volume.get("projected")), "sources", f"{at}.projected"):
            yield _reference("ConfigMap", source.get("configMap"), f"{where}.configMap")
            yield _reference("Secret", source.get("secret"), f"{where}.secret")
        yield from _of_driver(volume, at)


def _of_driver(volume: dict[str, Any], path: str) -> Iterator[Reference]:
    """The Secrets of storage drivers: csi by nodePublishSecretRef, azureFile by name, all others by secretRef."""
    for driver, source in volume.items():
        at = f"{path}.{driver}"
        for key in ("secretRef", "nodePublishSecretRef"):
            yield _reference("Secret", mapping(source).get(key), f"{at}.{key}")
    yield _reference("Secret", volume.get("azureFile"), f"{path}.azureFile", "secretName")


def _of_containers(pod: dict[str, Any], path: str) -> Iterator[Reference]:
    for field in ("initContainers", "containers"):
        for container, at in _each(pod, field, path):
            for variable, where in _each(container, "env", at):
                value = mapping(variable.get("valueFrom"))
                yield _reference("ConfigMap", value.get("configMapKeyRef"), f"{where}.valueFrom.configMapKeyRef")
                yield _reference("Secret", value.get("secretKeyRef"), f"{where}.valueFrom.secretKeyRef")
            for source, where in _each(container, "envFrom", at):
                yield _reference("ConfigMap", source.get("configMapRef"), f"{where}.configMapRef")
                yield _reference("Secret", source.get("secretRef"), f"{where}.secretRef")
