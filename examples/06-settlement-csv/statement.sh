#!/bin/sh
# `isthmus statement`, where the ledger is: here if ISTHMUS_LEDGER names it, else beside the hub in its pod.
set -eu
if [ -n "${ISTHMUS_LEDGER:-}" ]; then
  exec isthmus statement "$@"
fi
exec kubectl exec --namespace isthmus-system deployment/isthmus -- \
  isthmus statement --ledger sqlite:////var/lib/isthmus/ledger.db "$@"
