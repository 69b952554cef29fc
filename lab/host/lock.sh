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

lock_holder() {
    local inode pid
    inode=$(stat --format=%i "$1")
    pid=$(awk -v inode="$inode" '$2 == "FLOCK" && $6 ~ ":" inode "$" { print $5; exit }' /proc/locks)
    if [[ -n $pid && -r /proc/$pid/cmdline ]]; then
        echo "process $pid, $(tr '\0' ' ' <"/proc/$pid/cmdline" | cut --characters=1-120)"
    else
        echo "a process that has ended, by its children"
    fi
}
