#!/bin/sh
# Start Stock Lab as PUID:PGID. Root is used only to hand the volume over, and is given up before the program starts.
set -eu
umask 027

fail() {
    echo "stocklab: $1" >&2
    exit 64
}

number() {
    case "$2" in
        '' | *[!0-9]*) fail "$1 must be a number, but is '$2'." ;;
        0) fail "$1 is 0: Stock Lab does not run as root." ;;
    esac
}

data="${STOCKLAB_HOME:-/data}"
drop=""
if [ "$(id -u)" = 0 ]; then
    number PUID "${PUID:-10001}"
    number PGID "${PGID:-10001}"
    owner="${PUID:-10001}:${PGID:-10001}"
    mkdir -p "$data"
    # Only when it is another's: a large volume is not walked at each start.
    if [ "$(stat -c %u:%g "$data")" != "$owner" ]; then
        chown -R "$owner" "$data" || fail "$data cannot be given to $owner. Hint: does the volume allow chown?"
    fi
    drop="setpriv --reuid ${PUID:-10001} --regid ${PGID:-10001} --clear-groups --inh-caps=-all --no-new-privs --"
elif [ ! -w "$data" ]; then
    fail "$data cannot be written by user $(id -u). Hint: chown it, or start the container as root with PUID and PGID."
fi

# The compiled engine that the image brings goes to the volume, where another processor's can be added. A new version of
# the program brings its own.
prepared=/opt/stocklab/compiled
compiled="${NUMBA_CACHE_DIR:-}"
if [ -n "$compiled" ] && [ -f "$prepared/.of" ] && ! cmp -s "$prepared/.of" "$compiled/.of"; then
    $drop mkdir -p "$(dirname "$compiled")" || fail "$data cannot be written."
    $drop rm -rf "$compiled" "$compiled.new"
    $drop cp -R "$prepared" "$compiled.new"
    $drop mv "$compiled.new" "$compiled"
fi

# tini is the first process: it passes signals on and buries orphans. A command in a running container needs none.
init=""
[ $$ != 1 ] || init="tini --"

exec $drop $init "$@"
