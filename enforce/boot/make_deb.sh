#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Builds the Debian package of what `make` has built.
# usage: enforce/boot/make_deb.sh VERSION DIRECTORY     prints the package's path
#
# The tree comes from `make install`; here are only the package's own files.
set -eu

version=$1
out=$2
here=$(cd "$(dirname "$0")" && pwd)
tree=$out/tree
doc=$tree/usr/share/doc/sockaccept
umask 022

rm -rf "$tree"
mkdir -p "$out" "$doc" "$tree/DEBIAN"
make -s install DESTDIR="$(cd "$tree" && pwd)" PREFIX=/usr
strip --remove-section=.comment --remove-section=.note "$tree/usr/sbin/sockaccept-ctl"
find "$tree/usr/share/man" -type f -exec gzip -9n {} +

# What it was linked with, in the versions that it needs at least. dpkg-shlibdeps wants to be in a source package.
mkdir -p "$out/source/debian"
printf 'Source: sockaccept\n\nPackage: sockaccept\nArchitecture: any\n' >"$out/source/debian/control"
binary=$(cd "$tree" && pwd)/usr/sbin/sockaccept-ctl
depends=$(cd "$out/source" && dpkg-shlibdeps -O "$binary" | sed 's/^shlibs:Depends=//')

fill() { # FILE
	sed -e "s|@version@|$version|" -e "s|@architecture@|$(dpkg --print-architecture)|" -e "s|@depends@|$depends|" \
		-e "s|@date@|$(date -R -u -d "@${SOURCE_DATE_EPOCH:-$(date +%s)}")|" "$here/deb/$1"
}

fill control >"$tree/DEBIAN/control"
fill changelog | gzip -9n >"$doc/changelog.gz"
cp "$here/deb/copyright" "$doc/copyright"
for script in postinst prerm postrm; do
	install -m 0755 "$here/deb/$script" "$tree/DEBIAN/$script"
done
(cd "$tree" && find etc -type f | sed 's|^|/|' | sort) >"$tree/DEBIAN/conffiles"
(cd "$tree" && find usr lib -type f 2>/dev/null | sort | xargs md5sum) >"$tree/DEBIAN/md5sums"
chmod 0644 "$tree/DEBIAN/conffiles" "$tree/DEBIAN/md5sums" "$tree/DEBIAN/control" "$doc"/*

package=$out/sockaccept_${version}_$(dpkg --print-architecture).deb
dpkg-deb --root-owner-group -Zxz --build "$tree" "$package" >/dev/null
echo "$package"
