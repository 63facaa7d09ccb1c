"""The member's rights as a template, for a hub whose own cluster is a member: made from the member's own manifests."""

import re
from pathlib import Path

from isthmus.api.names import SYSTEM_NAMESPACE

_SOURCE = "operator/isthmus/cli/member"
_MANIFESTS = Path(__file__).resolve().parents[3] / _SOURCE
_BANNER = "{{- /* Rendered from {} by `make generate`; change that instead. */ -}}\n"
_NAME = '{{ include "isthmus.fullname" . }}'
_ACCOUNT = '{{ include "isthmus.serviceAccountName" . }}'
_NAMESPACE = "{{ .Release.Namespace }}"
_ENABLED = ".Values.localMember.enabled"
_SERVES_MUTATING = '.Capabilities.APIVersions.Has "admissionregistration.k8s.io/v1/MutatingAdmissionPolicy"'
# The chart has these two by itself.
_HAS_ALREADY = re.compile(r"^kind: (Namespace|ServiceAccount)$", re.MULTILINE)


def member_templates() -> dict[str, str]:
    """Each template by its file name."""
    return {
        "local-member.yaml": _template("member.yaml", _ENABLED),
        "local-member-index-policy.yaml": _template("index-policy.yaml", f"and {_ENABLED} ({_SERVES_MUTATING})"),
    }


def _template(name: str, condition: str) -> str:
    documents = (_MANIFESTS / name).read_text().split("---\n")
    body = "---\n".join(_templated(document) for document in documents if not _HAS_ALREADY.search(document))
    banner = _BANNER.replace("{}", f"{_SOURCE}/{name}", 1)
    return f"{banner}{{{{- if {condition} }}}}\n{body}{{{{- end }}}}\n"


def _templated(document: str) -> str:
    """The manifest for the release's namespace and ServiceAccount, under the release's names and labels."""
    text = document.replace("{{", '{{ "{{" }}')
    text = text.replace(
        f"system:serviceaccount:{SYSTEM_NAMESPACE}:isthmus", f"system:serviceaccount:{_NAMESPACE}:{_ACCOUNT}"
    )
    text = text.replace(f"== '{SYSTEM_NAMESPACE}'", f"== '{_NAMESPACE}'").replace("== 'isthmus'", f"== '{_ACCOUNT}'")
    text = text.replace(f"namespace: {SYSTEM_NAMESPACE}\n", f"namespace: {_NAMESPACE}\n")
    text = re.sub(r"(- kind: ServiceAccount\n +name: )isthmus\n", rf"\1{_ACCOUNT}\n", text)
    text = re.sub(r"((?:^  |\s)(?:name|policyName): )isthmus-(member|index)\n", rf"\1{_NAME}-\2\n", text)
    return re.sub(
        r"^(metadata:\n)", r'\1  labels:\n    {{- include "isthmus.labels" . | nindent 4 }}\n', text, flags=re.MULTILINE
    )
