#!/bin/bash
#
# test/corpus/record.sh [NAME...]: records the streams anew
#
# All of them, or NAME.txt only, on a private PostgreSQL, with the clients that
# make test-clients installs (run that first).  What is recorded tells the
# versions of Debian and of test/clients/package.json.

MS_PROGRAM=record.sh
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"

CORPUS=$MS_TOP/test/corpus
jar=/usr/share/java/postgresql.jar
modules=(/var/cache/missing_symbol-clients/*/node_modules)

command_of()
{
	case $1 in
		knex | drizzle | sequelize | typeorm | mikro) echo node streams.js "$1" ;;
		illuminate | dbal) echo php streams.php "$1" ;;
		activerecord) echo ruby activerecord_corpus.rb ;;
		jdbc) echo java -cp $jar JdbcCorpus.java ;;
		psycopg | sqlalchemy) echo /usr/bin/python3 "$1_corpus.py" ;;
		django) echo env RECORDING=1 PYTHONPATH="$MS_TOP/test/perl" /usr/bin/python3 "$MS_TOP/test/perl/django_corpus.py" ;;
		*) ms_die "there is no recording \"$1\"" ;;
	esac
}

names=("$@")
if (($# == 0)); then
	mapfile -t names < <(basename -s .txt "$CORPUS"/*.txt)
fi
ms_setup
ms_begin
ms_start "fsync = off" || exit 1
for name in "${names[@]}"; do
	read -r -a command < <(command_of "$name")
	ms_as_user createdb "$name"
	ms_as_user psql -Xqd "$name" -f "$MS_SRC/test/corpus/schema.sql"
	ms_say "$name"
	(cd "$MS_SRC/test/corpus" && ms_as_user env PGDATABASE="$name" NODE_PATH="${modules[0]}" PATH=/usr/bin:/bin \
		timeout 300 python3 record.py "$MS_SHORT/s" 5432 "$MS_SHORT/tmp/$name.txt" "${command[@]}") &&
		cp "$MS_SHORT/tmp/$name.txt" "$CORPUS/" || exit 1
done
