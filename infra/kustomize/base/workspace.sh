# Brings the service's folder, VOLUME/study, to the newest data version of the study's repository.
# workspace.sh VOLUME SETTINGS
set -eu
cd "$1"
in_settings() { python -c 'import sys, tomllib; print(tomllib.load(open(sys.argv[1], "rb"))["data_repo"])' "$1"; }
url=${ICEFLOE_DATA_REPO:-$(in_settings "$2")}
if [ ! -d study ]; then
  rm -rf study.new  # of a clone that was killed half-way
  git clone --quiet -- "$url" study.new
  git -C study.new remote remove origin  # a password in the URL does not stay on the volume
  mv study.new study
fi
cd study
git pull --quiet --ff-only -- "$url" HEAD
python -m dvc pull --quiet
