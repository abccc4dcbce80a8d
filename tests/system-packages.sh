#!/bin/sh
# The system packages that tests need. Installs them where it can (Debian or Ubuntu, as root) and
# names them where it cannot. Never fails: a test whose package is missing skips with the reason
# on a user's machine and fails in CI (see `needs_program` in conftest.py).
set -u

missing=      # of Debian's packages
missing_brew= # of Homebrew's

# lacks PACKAGE HOMEBREW_PACKAGE: notes both; "-" is for what there is not.
lacks() {
    case " $missing " in *" $1 "*) ;; *) missing="$missing $1" ;; esac
    [ "$2" = - ] && return
    case " $missing_brew " in *" $2 "*) ;; *) missing_brew="$missing_brew $2" ;; esac
}

has() { command -v "$1" >/dev/null 2>&1; }

has_library() {
    if has ldconfig; then
        ldconfig -p | grep -q "lib$1\."
    else
        ls /usr/local/lib/lib"$1".* /opt/homebrew/lib/lib"$1".* >/dev/null 2>&1
    fi
}

has ffmpeg || lacks ffmpeg ffmpeg
has jackd || lacks jackd2 jack
has oscsend || lacks liblo-tools liblo
has pd || lacks puredata-core -
has_library portaudio || lacks libportaudio2 portaudio
has chromium || has chromium-browser || has google-chrome || lacks chromium -
if [ "$(uname)" = Linux ]; then
    has pipewire || lacks pipewire -
    has pw-metadata || lacks pipewire-bin -
    has pw-jack || lacks pipewire-jack -
    has wireplumber || lacks wireplumber -
    [ -e /usr/lib/vst3/ZaMaximX2.vst3 ] || lacks zam-plugins -
    # To build the DAW plugin, and hosts to put it in.
    has g++ || lacks g++ -
    has make || lacks make -
    has patch || lacks patch -
    [ -d /usr/share/dpf ] || lacks dpf-source -
    has jalv || lacks jalv -
    has lv2proc || lacks lv2proc -
    has lv2ls || lacks lilv-utils -
    has lv2_validate || lacks lv2-dev -
    has sord_validate || lacks sordi -
    has strace || lacks strace -
    has ardour7-export || lacks ardour -
fi

install() {
    # One by one, so that a name that this release does not know costs nothing but itself.
    for package in $missing; do
        apt-get install --yes --quiet --no-install-recommends "$package" >/dev/null 2>&1 ||
            failed="$failed $package"
    done
}

if [ -n "$missing" ] && has apt-get && [ "$(id -u)" -eq 0 ]; then
    echo "Installing the system packages:$missing"
    export DEBIAN_FRONTEND=noninteractive
    failed=
    install
    if [ -n "$failed" ]; then
        apt-get update --quiet >/dev/null 2>&1
        missing=$failed failed=
        install
    fi
    [ -z "$failed" ] ||
        echo "apt-get could not install:$failed. The tests that need them will say so."
elif [ -n "$missing" ] && has apt-get; then
    echo "For all tests install:$missing  (sudo apt-get install$missing)"
elif [ -n "$missing_brew" ] && has brew; then
    echo "For all tests install:$missing_brew  (brew install$missing_brew)"
elif [ -n "$missing" ]; then
    echo "For all tests install:$missing"
fi

# Where the JACK tools come in a package of their own (Debian 13, Ubuntu 24.04).
if ! has jack_iodelay && has apt-get && [ "$(id -u)" -eq 0 ]; then
    DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet --no-install-recommends \
        jack-example-tools >/dev/null 2>&1
fi

# A client for the OSC tests, where there is Node.
if has node && has npm && ! NODE_PATH=$(npm root -g) node -e "require('node-osc')" 2>/dev/null; then
    if [ "$(id -u)" -eq 0 ]; then
        npm install --global --silent node-osc@11.7.1 >/dev/null 2>&1
    else
        echo "For all tests also: npm install --global node-osc@11.7.1"
    fi
fi
exit 0
