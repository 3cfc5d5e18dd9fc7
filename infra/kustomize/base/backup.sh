# Dumps both databases into FOLDER and keeps the last 14 dumps of each: backup.sh FOLDER
set -eu
kept=14

dump() {  # NAME URL
  # SQLAlchemy names a driver in the URL, which PostgreSQL's own programs don't know.
  url=$(printf %s "$2" | sed 's/^postgresql+[a-z0-9]*:/postgresql:/')
  file=$folder/$1-$(date -u +%Y%m%dT%H%M%SZ).dump
  pg_dump --format=custom --file="$file.part" --dbname="$url"
  pg_restore --list "$file.part" > /dev/null  # it can be read to its table of contents
  mv "$file.part" "$file"
  find "$folder" -name "$1-*.dump" | sort -r | tail -n +$((kept + 1)) | while read -r old; do rm "$old"; done
}

folder=$1
find "$folder" -name '*.dump.part' -delete  # of a backup that was killed
dump icefloe "$ICEFLOE_DATABASE_URL"
dump mlflow "$MLFLOW_BACKEND_STORE_URI"
