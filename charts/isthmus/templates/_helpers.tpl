{{/* The chart's name, and the name of this release's objects: both at most 50 characters, for what is put behind them. */}}
{{- define "isthmus.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "isthmus.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else if contains (include "isthmus.name" .) .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "isthmus.name" .) | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "isthmus.selectorLabels" -}}
app.kubernetes.io/name: {{ include "isthmus.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: hub
{{- end -}}

{{- define "isthmus.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
app.kubernetes.io/name: {{ include "isthmus.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: isthmus
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "isthmus.serviceAccountName" -}}
{{- default (include "isthmus.fullname" .) .Values.serviceAccount.name -}}
{{- end -}}

{{/* Who the hub is to the API server. */}}
{{- define "isthmus.user" -}}
{{- printf "system:serviceaccount:%s:%s" .Release.Namespace (include "isthmus.serviceAccountName" .) -}}
{{- end -}}

{{- define "isthmus.image" -}}
{{- with .Values.image -}}
{{- $name := .repository -}}
{{- if .registry -}}
{{- $name = printf "%s/%s" .registry .repository -}}
{{- end -}}
{{- if .digest -}}
{{- printf "%s@%s" $name .digest -}}
{{- else -}}
{{- printf "%s:%s" $name (default $.Chart.AppVersion .tag) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The Service's address for health and metrics, within the cluster. */}}
{{- define "isthmus.url" -}}
{{- printf "http://%s.%s.svc:%v" (include "isthmus.fullname" .) .Release.Namespace .Values.service.port -}}
{{- end -}}

{{- define "isthmus.queryName" -}}
{{- printf "%s-query" (include "isthmus.fullname" .) -}}
{{- end -}}

{{/* The Secret with the ledger's URL; empty where the ledger is a file. */}}
{{- define "isthmus.ledgerSecret" -}}
{{- if .Values.ledger.existingSecret.name -}}
{{- .Values.ledger.existingSecret.name -}}
{{- else if .Values.ledger.url -}}
{{- printf "%s-ledger" (include "isthmus.fullname" .) -}}
{{- end -}}
{{- end -}}

{{- define "isthmus.ledgerClaim" -}}
{{- default (printf "%s-ledger" (include "isthmus.fullname" .)) .Values.ledger.persistence.existingClaim -}}
{{- end -}}

{{- define "isthmus.probe" -}}
periodSeconds: {{ .periodSeconds }}
timeoutSeconds: {{ .timeoutSeconds }}
failureThreshold: {{ .failureThreshold }}
{{- end -}}

{{/* The container's environment variables. */}}
{{- define "isthmus.environment" -}}
{{- with include "isthmus.ledgerSecret" . }}
- name: ISTHMUS_LEDGER
  valueFrom:
    secretKeyRef:
      name: {{ . }}
      key: {{ $.Values.ledger.existingSecret.key }}
{{- end }}
{{- $proxied := or .Values.proxy.httpProxy .Values.proxy.httpsProxy }}
{{- range .Values.extraEnv }}
{{- if has .name (list "HTTP_PROXY" "HTTPS_PROXY") }}
{{- $proxied = true }}
{{- end }}
{{- end }}
{{- with .Values.proxy }}
{{- with .httpProxy }}
- name: HTTP_PROXY
  value: {{ . | quote }}
{{- end }}
{{- with .httpsProxy }}
- name: HTTPS_PROXY
  value: {{ . | quote }}
{{- end }}
{{- if $proxied }}
# The kubelet puts in the address of the hub's own API server.
- name: NO_PROXY
  value: {{ printf "%s,$(KUBERNETES_SERVICE_HOST)" .noProxy | trimPrefix "," | quote }}
{{- end }}
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}
