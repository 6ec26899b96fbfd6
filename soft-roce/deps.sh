#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Installs the Debian packages that the rig, the modules and the tests need, if they are missing.
set -eu

packages="
bash bc bison build-essential bsdextrautils coreutils diffutils dmsetup e2fsprogs findutils fio flex gawk
grep iproute2 iputils-ping kmod libelf-dev libssl-dev linux-source-6.12 mdadm mount ncurses-bin netcat-openbsd patch
perl procps python3-jsonschema python3-yaml sed shellcheck sparse spin tar util-linux xz-utils gcc libc6-dev clang
libclang-rt-14-dev gcovr libbsd-dev xxd
"

missing=""
for package in $packages; do
	status=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
	[ "$status" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

echo "installing:$missing"
[ "$(id -u)" = 0 ] || { echo "deps: needs root to install them" >&2; exit 1; }
export DEBIAN_FRONTEND=noninteractive
# An old package list names versions that are gone.
apt-get -q update
# shellcheck disable=SC2086 # a list of words
apt-get -qy install --no-install-recommends $missing
