#!/usr/bin/env bash
# A base image with Python, and a busybox image, made of Debian packages where no container registry can be reached.
# usage: debian.sh ENGINE BASE_IMAGE BUSYBOX_IMAGE    needs root and debootstrap; DEBIAN_MIRROR chooses the mirror
set -euo pipefail

engine=$1 base=$2 busybox=$3
suite=bookworm

fail() {
  echo "error: $1" >&2
  exit 1
}
[ "$(id -u)" = 0 ] || fail "debootstrap needs root: run this as root"
command -v debootstrap >/dev/null || fail "debootstrap was not found: apt-get install debootstrap"
"$engine" info >/dev/null 2>&1 || fail "$engine does not answer: start it, or name another by CONTAINER_ENGINE"

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# The machine's own mirror, where apt has one; else debootstrap's default.
mirror=${DEBIAN_MIRROR:-$(awk '/^URIs:/ {print $2; exit}' /etc/apt/sources.list.d/*.sources 2>/dev/null || true)}

echo "==> Debian $suite with Python (half a minute)"
debootstrap --variant=minbase --include=busybox-static,ca-certificates,python3,python3-venv,tzdata \
  "$suite" "$folder/python" ${mirror:+"$mirror"} >"$folder/log" 2>&1 || { tail -5 "$folder/log" >&2; fail "debootstrap"; }

mkdir -p "$folder"/busybox/{bin,dev,etc,proc,sys,tmp,var}
chmod 1777 "$folder/busybox/tmp"
mv "$folder/python/bin/busybox" "$folder/busybox/bin/"
chroot "$folder/busybox" /bin/busybox --install -s /bin
echo 'root:x:0:0:root:/:/bin/sh' >"$folder/busybox/etc/passwd"
tar -C "$folder/busybox" -c . | "$engine" import --change 'CMD ["sh"]' - "$busybox" >/dev/null

chroot "$folder/python" dpkg --purge busybox-static >/dev/null 2>&1
rm -rf "$folder"/python/var/cache/apt/* "$folder"/python/var/lib/apt/lists/* "$folder"/python/var/log/* \
  "$folder"/python/usr/share/{doc,info,locale,man}/* "$folder"/python/etc/{hostname,resolv.conf} "$folder"/python/etc/apt/sources.list
tar -C "$folder/python" --exclude='./dev/*' -c . | "$engine" import --change 'ENV LANG=C.UTF-8' \
  --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' - "$base" >/dev/null
"$engine" images --format '{{.Repository}}:{{.Tag}} {{.Size}}' | grep -E "^(localhost/|docker.io/library/)?($base|$busybox) "
