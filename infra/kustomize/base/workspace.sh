# Brings the service's folder, VOLUME/study, to the newest data version of the study's repository.
# workspace.sh VOLUME SETTINGS
set -eu
cd "$1"
if [ ! -d study ]; then
  url=$(python -c 'import sys, tomllib; print(tomllib.load(open(sys.argv[1], "rb"))["data_repo"])' "$2")
  rm -rf study.new
  git clone --quiet -- "$url" study.new
  mv study.new study  # a clone that was killed half-way is begun anew
fi
cd study
git pull --quiet --ff-only
python -m dvc pull --quiet
