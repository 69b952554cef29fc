# Only one machine may run at a time: two emulators on two cores starve each other until the engine's own time limits
# fail. The lock is one per computer, not per checkout, and is a flock, so it is gone with the last process that holds it.
# shellcheck shell=bash

readonly LAB_LOCK_LIMIT=1800

# take_lock FILE WHAT: holds FILE until this process and the children that inherit it are gone.
take_lock() {
    local file=$1 what=$2 fd
    # Opened for reading: in a sticky directory the kernel refuses to open another user's file for creation.
    [[ -e $file ]] || (umask 0 && : >"$file") 2>/dev/null || [[ -e $file ]] || fail "cannot create the lock $file"
    exec {fd}<"$file"
    if ! flock --nonblock "$fd"; then
        say "waiting for $what: $(lock_holder "$file") (at most $LAB_LOCK_LIMIT s)"
        flock --timeout "$LAB_LOCK_LIMIT" "$fd" || fail "$what was not free within $LAB_LOCK_LIMIT s; held by $(lock_holder "$file")"
    fi
}

# The lock was taken by a `flock` that has ended since, so its owner is found by who has the locked file open.
lock_holder() {
    local open pid
    while read -r open; do
        if grep --quiet '^lock:' "${open/\/fd\//\/fdinfo\/}" 2>/dev/null; then
            pid=${open#/proc/}
            pid=${pid%%/*}
            echo "process $pid, $(tr '\0' ' ' <"/proc/$pid/cmdline" | cut --characters=1-120)"
            return
        fi
    done < <(find /proc/[0-9]*/fd -lname "$1" 2>/dev/null | sort --version-sort)
    echo "another user's process"
}
