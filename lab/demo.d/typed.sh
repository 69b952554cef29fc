# What the user types: shown as typed, run as shown, and the checks of what it said.
# shellcheck shell=bash

# What one command may take. A hanging plugin hangs the engine, and the demo must say so rather than hang with it.
readonly COMMAND_LIMIT=60
readonly SHOWN_LINES=20 SHOWN_COLUMNS=140
mkfifo "$SCRATCH/keyboard"

# What the user types must succeed.
run() {
    attempt "$1" || give_up "status $? from: $(one_line "$1")"
}

# What the user types must fail.
refused() {
    ! attempt "$1" || give_up "this must fail and did not: $(one_line "$1")"
}

attempt() {
    local status=0
    show_command "$1"
    execute "$1" >"$SAID.raw" 2>&1 || status=$?
    show_output
    return "$status"
}

# `docker run -it` insists on a terminal, so it gets one, with a keyboard that nobody touches.
execute() {
    if [[ $1 =~ ^docker\ run\ .*-it\  ]]; then
        timeout "$COMMAND_LIMIT" script --quiet --return --command "$1" /dev/null <>"$SCRATCH/keyboard"
    else
        timeout "$COMMAND_LIMIT" bash -c "$1" </dev/null
    fi
}

# converse COMMAND LINE...: a command that opens a shell in a container, in a terminal; each line is typed at its prompt.
converse() {
    local line prompts=0 status=0
    show_command "$1"
    : >"$SAID.raw"
    coproc TERMINAL { exec timeout "$COMMAND_LIMIT" script --quiet --return --command "$1" /dev/null >"$SAID.raw" 2>&1; }
    local pid=$TERMINAL_PID keyboard=${TERMINAL[1]}
    for line in "${@:2}" exit; do
        prompts=$((prompts + 1))
        wait_for_prompt "$prompts" "$pid" || break
        echo "$line" >&"$keyboard"
    done
    wait "$pid" || status=$?
    show_output
    ((status == 0)) || give_up "status $status from: $1"
}

wait_for_prompt() {
    until (($(grep --only-matching --fixed-strings '/ # ' "$SAID.raw" | wc -l) >= $1)); do
        kill -0 "$2" 2>/dev/null || return 1
        sleep 0.05
    done
}

one_line() {
    echo "${1//$' \\\n   '/}"
}

# A command of several lines is shown as it would be typed.
show_command() {
    printf '    %s$ %s%s\n' "$BOLD" "${1//$'\n'/$'\n'    }" "$PLAIN"
}

# Takes from the output what is meant for a terminal, and shows it.
show_output() {
    local lines
    sed --regexp-extended 's/\x1b\[[0-9;?]*[a-zA-Z]//g; s/\r//g' "$SAID.raw" >"$SAID"
    lines=$(wc -l <"$SAID")
    head --lines "$SHOWN_LINES" "$SAID" | fold --spaces --width "$SHOWN_COLUMNS" | sed 's/^/      /; s/[[:space:]]*$//'
    if ((lines > SHOWN_LINES)); then
        printf '      %s(%d more lines)%s\n' "$DIM" $((lines - SHOWN_LINES)) "$PLAIN"
    fi
}

# shows PATTERN...: each must be found in what the last command said.
shows() {
    local pattern
    for pattern in "$@"; do
        grep --quiet --extended-regexp -e "$pattern" "$SAID" || give_up "expected in the output: $pattern"
    done
}

# hides PATTERN...: none may be found in what the last command said.
hides() {
    local pattern
    for pattern in "$@"; do
        ! grep --quiet --extended-regexp -e "$pattern" "$SAID" || give_up "not expected in the output: $pattern"
    done
}

# same WHAT ONE OTHER
same() {
    [[ $2 == "$3" ]] || give_up "$1 differ:"$'\n'"$2"$'\n'"and:"$'\n'"$3"
}

# unreached COMMAND: a ping that must bring no answer.
unreached() {
    refused "$1"
    shows '100% packet loss|[Nn]etwork (is )?unreachable'
}
