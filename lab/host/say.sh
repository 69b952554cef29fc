# What the user is told, and how a step that fails ends the command. Everything goes to stderr: stdout belongs to the
# command that runs in the machine.
# shellcheck shell=bash

# The status of a failure of the lab itself, apart from any that a command is likely to exit with. `docker run` has the same rule.
readonly LAB_FAILED=125
# shellcheck disable=SC2034 # by machine.sh
readonly LAB_TIMED_OUT=124

say() {
    local now=$EPOCHREALTIME elapsed
    elapsed=$(((${now/[.,]/} - ${LAB_STARTED/[.,]/}) / 100000))
    printf '[lab %3d.%ds] %s\n' $((elapsed / 10)) $((elapsed % 10)) "$*" >&2
}

fail() {
    say "failed: $*"
    exit "$LAB_FAILED"
}

# run_logged LOG COMMAND...: the command's output goes to LOG, whose tail is shown when it fails.
run_logged() {
    local log=$1
    shift
    if ! "$@" >"$log" 2>&1 </dev/null; then
        tail -n 30 "$log" >&2
        fail "this step; all that it said is in $log"
    fi
}

as_root() {
    if ((EUID == 0)); then
        "$@"
    else
        sudo "$@"
    fi
}
