{{/* What a schema can't say: values that don't go together, and a cluster that this chart must not touch. */}}
{{- define "isthmus.checks" -}}
{{- if and .Values.ledger.url .Values.ledger.existingSecret.name -}}
{{- fail "ledger.url and ledger.existingSecret.name both say where the ledger is: set one of them" -}}
{{- end -}}
{{- if and (not .Values.serviceAccount.create) (not .Values.serviceAccount.name) -}}
{{- fail "serviceAccount.create is false: set serviceAccount.name to the ServiceAccount to use" -}}
{{- end -}}
{{- range $name := list "httpProxy" "httpsProxy" -}}
{{- if contains "@" (get $.Values.proxy $name) -}}
{{- fail (printf "proxy.%s names a user, whose password would stand in the Deployment: give %s by extraEnv with a valueFrom.secretKeyRef instead" $name (snakecase $name | upper)) -}}
{{- end -}}
{{- end -}}
{{- range .Values.hub.extraArgs -}}
{{- if regexMatch "^--(ledger|currency|system-namespace|accelerators|accounts|allow-exec|log-format|log-level|http-address|query-address|query-service)(=|$)" . -}}
{{- fail (printf "hub.extraArgs: %s is set by the chart: use the value for it (ledger, hub, query)" .) -}}
{{- end -}}
{{- end -}}
{{- if .Values.crds.enabled -}}
{{- include "isthmus.checkCRDs" . -}}
{{- else -}}
{{- include "isthmus.checkKept" . -}}
{{- end -}}
{{- end -}}

{{/* An older definition over a newer one would drop fields of objects that are there. */}}
{{- define "isthmus.checkCRDs" -}}
{{- $ours := semver .Chart.AppVersion -}}
{{- range $plural := list "computejobs" "computenodes" "dispatches" "settlements" -}}
{{- $name := printf "%s.isthmus.dev" $plural -}}
{{- $there := lookup "apiextensions.k8s.io/v1" "CustomResourceDefinition" "" $name -}}
{{- $version := dig "metadata" "annotations" "isthmus.dev/crd-version" "" ($there | default dict) -}}
{{- if and $version (gt ((semver $version).Compare $ours) 0) -}}
{{- fail (printf "the cluster has the CustomResourceDefinition %s of Isthmus %s, and this chart is of %s: install the chart of %s or newer, or set crds.enabled=false to leave the definitions as they are" $name $version $.Chart.AppVersion $version) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Helm deletes what leaves a release, unless the live object says that it is kept. */}}
{{- define "isthmus.checkKept" -}}
{{- range $plural := list "computejobs" "computenodes" "dispatches" "settlements" -}}
{{- $name := printf "%s.isthmus.dev" $plural -}}
{{- $there := lookup "apiextensions.k8s.io/v1" "CustomResourceDefinition" "" $name -}}
{{- $notes := dig "metadata" "annotations" dict ($there | default dict) -}}
{{- $of := printf "%s/%s" (get $notes "meta.helm.sh/release-namespace") (get $notes "meta.helm.sh/release-name") -}}
{{- $ours := printf "%s/%s" $.Release.Namespace $.Release.Name -}}
{{- if and (eq $of $ours) (ne (get $notes "helm.sh/resource-policy") "keep") -}}
{{- fail (printf "crds.enabled=false would delete the CustomResourceDefinition %s of this release, and with it all %s: upgrade with crds.keep=true first" $name $plural) -}}
{{- end -}}
{{- end -}}
{{- end -}}
