#!/bin/sh
#
# test/door/gcc.sh: gcc in the chroot "door", where all is installed, so that
# nobody waits for the same compilation twice: not by whom it is done, nor in
# which work directory, which has the sources and the headers.

export CCACHE_DIR=/door/ccache CCACHE_TEMPDIR=/door/ccache/tmp CCACHE_UMASK=000 \
	CCACHE_NOHASHDIR=1 CCACHE_BASEDIR="${PWD%/*}"
exec ccache /usr/bin/gcc "$@"
