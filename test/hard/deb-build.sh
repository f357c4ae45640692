#!/bin/bash
#
# test/hard/deb-build.sh: builds the Debian package.  For deb.sh: runs as root
# in a chroot that is thrown away; leaves packages in /srv/out.

set -u
cd /srv/missing_symbol || exit 1
log=/srv/log

quietly()
{
	"$@" >"$log" 2>&1 || {
		tail -n 40 "$log"
		return 1
	}
}

quietly apt-get -q update ||
	{ echo "deb-build.sh: apt does not work in the chroot" >&2; exit 77; }
quietly apt-get -q -y --no-install-recommends install build-essential \
	debhelper postgresql-server-dev-all ||
	{ echo "deb-build.sh: could not install what a build needs" >&2; exit 77; }

version=$(sed -n '1,/^   "version"/s/^   "version": "\(.*\)",/\1/p' META.json)
cp -R test/debian debian
# which of the versions named in pgversions the release has
quietly pg_buildext updatecontrol ||
	{ echo "FAILED   pg_buildext updatecontrol"; exit 1; }
cat >debian/changelog <<EOF
missing-symbol ($version) unstable; urgency=medium

  * See CHANGELOG.md.

 -- missing_symbol contributors <missing_symbol@localhost>  $(date -R)
EOF

# packages are built by an ordinary user
useradd -m builder
chown -R builder /srv/missing_symbol /srv
if quietly runuser -u builder -- env HOME=/home/builder LC_ALL=C.UTF-8 \
	PATH="$PATH" dpkg-buildpackage -us -uc -b; then
	rm -f /srv/*-dbgsym_*
	cp /srv/*.deb /srv/out/
	for deb in /srv/*.deb; do
		echo "ok       $(basename "$deb") is built"
	done
else
	echo "FAILED   the package is built"
	exit 1
fi
