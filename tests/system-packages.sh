#!/bin/sh
# The system packages that tests need. Installs them where it can (Debian or Ubuntu, as root) and
# names them where it cannot. Never fails: a test whose package is missing skips with the reason
# on a user's machine and fails in CI (see `needs_program` in conftest.py).
set -u

missing=
for program in ffmpeg; do
    command -v "$program" >/dev/null 2>&1 || missing="$missing $program"
done
[ -z "$missing" ] && exit 0

if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" -eq 0 ]; then
    echo "Installing the system packages:$missing"
    export DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2086  # one word per package
    apt-get install --yes --quiet --no-install-recommends $missing >/dev/null 2>&1 ||
        { apt-get update --quiet && apt-get install --yes --quiet --no-install-recommends $missing; } \
            >/dev/null 2>&1 ||
        echo "apt-get could not install:$missing. The tests that need them will say so."
elif command -v apt-get >/dev/null 2>&1; then
    echo "For all tests install:$missing  (sudo apt-get install$missing)"
elif command -v brew >/dev/null 2>&1; then
    echo "For all tests install:$missing  (brew install$missing)"
else
    echo "For all tests install:$missing"
fi
exit 0
