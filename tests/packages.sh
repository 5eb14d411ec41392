#!/bin/sh
# What the tests need of the system: a Chromium and a CJK font for the page, nginx for the replicas.
# Installed as root, else the command is printed.
set -eu
packages=""
for name in chromium chromium-browser google-chrome; do
  if command -v "$name" >/dev/null 2>&1; then browser="$name"; fi
done
[ -n "${browser:-}" ] || packages="chromium"
if ! command -v fc-list >/dev/null 2>&1 || [ -z "$(fc-list :lang=zh 2>/dev/null)" ]; then
  packages="$packages fontconfig fonts-noto-cjk"
fi
if ! PATH="$PATH:/usr/sbin" command -v nginx >/dev/null 2>&1; then
  packages="$packages nginx-light"
fi
[ -n "$packages" ] || exit 0
if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; then
  apt-get update -qq
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages
  case "$packages" in # the package starts a server of its own, which nobody asked for
    *nginx*) [ ! -d /run/systemd/system ] || systemctl disable --now nginx ;;
  esac
else
  echo "The tests need: sudo apt-get install -y $packages"
fi
