"""The CustomResourceDefinitions as templates: Helm upgrades templates, and never what lies in a chart's crds folder."""

from typing import Any

from generate.crd import crd
from generate.yamltext import yaml_text
from isthmus.api.kinds import KINDS
from isthmus.api.names import GROUP

_BANNER = "{{- /* Rendered from the models by `make generate`; change operator/isthmus/api instead. */ -}}\n"
_KEEP = "    {{- if .Values.crds.keep }}\n    helm.sh/resource-policy: keep\n    {{- end }}\n"
_LABELS = '    {{- include "isthmus.labels" . | nindent 4 }}\n'


def crd_templates() -> dict[str, str]:
    """Each kind's template by its file name."""
    return {f"{GROUP}_{kind.plural}.yaml": _template(crd(kind)) for kind in KINDS}


def _template(definition: dict[str, Any]) -> str:
    head, spec = dict(definition), {"spec": definition["spec"]}
    del head["spec"]
    del head["metadata"]["labels"]
    metadata = yaml_text(head).replace("  annotations:\n", f"  labels:\n{_LABELS}  annotations:\n{_KEEP}")
    body = yaml_text(spec).replace("{{", '{{ "{{" }}')
    return f"{_BANNER}{{{{- if .Values.crds.enabled }}}}\n{metadata}{body}{{{{- end }}}}\n"
