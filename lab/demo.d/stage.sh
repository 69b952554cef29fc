# Shows, runs, checks and counts. A step is a function that runs in a subshell: what is wrong ends it and it alone.
# shellcheck shell=bash

# What one command may take. A hanging plugin hangs the engine, and the demo must say so rather than hang with it.
readonly COMMAND_LIMIT=60
readonly SHOWN_LINES=16 SHOWN_COLUMNS=200

SCRATCH=$(mktemp -d)
# Files, as a step is a process of its own: what the last command said, why the step fails, whether one has failed.
readonly SCRATCH SAID=$SCRATCH/said WHY=$SCRATCH/why UNTIDY=$SCRATCH/untidy
mkfifo "$SCRATCH/keyboard"
readonly demo_started=$SECONDS
total=0 passed=0

bold='' dim='' green='' red='' plain=''
if [[ -t 1 || -n ${FORCE_COLOR:-} ]]; then
    bold=$'\e[1m' dim=$'\e[2m' green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m'
fi

introduce() {
    printf 'Docker Engine %s, kernel %s, %s\n' "$(docker version --format '{{.Server.Version}}')" "$(uname -r)" \
        "$(ipvland --version)"
    printf 'On the LAN: this host 192.168.1.250 (eth0), the router 192.168.1.1, a second machine 192.168.1.200\n\n'
}

heading() {
    printf '\n%s== %s%s\n' "$bold" "$1" "$plain"
}

# step FUNCTION TITLE
step() {
    local started=$EPOCHREALTIME status
    total=$((total + 1))
    printf '\n%s%2d. %s%s\n' "$bold" "$total" "$2" "$plain"
    : >"$SAID"
    echo "it ended early" >"$WHY"
    if plugin_runs; then
        (
            set -e
            "$1"
        )
        status=$?
    else
        echo "not tried, as ipvland serve is not running" >"$WHY"
        status=1
    fi
    if ((status == 0)); then
        passed=$((passed + 1))
    else
        show_failure
        touch "$UNTIDY"
    fi
    printf '    %s%s s%s\n' "$dim" "$(seconds_since "$started")" "$plain"
}

finish() {
    printf '\n%d s in all\ndemo: %d of %d steps passed\n' $((SECONDS - demo_started)) "$passed" "$total"
    ((passed == total))
    exit
}

seconds_since() {
    local now=$EPOCHREALTIME tenths
    tenths=$(((${now/[.,]/} - ${1/[.,]/}) / 100000))
    echo "$((tenths / 10)).$((tenths % 10))"
}

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
    printf '    %s$ %s%s\n' "$bold" "${1//$'\n'/$'\n'    }" "$plain"
}

# Takes from the output what is meant for a terminal, and shows it.
show_output() {
    local lines
    sed --regexp-extended 's/\x1b\[[0-9;?]*[a-zA-Z]//g; s/\r//g' "$SAID.raw" >"$SAID"
    lines=$(wc -l <"$SAID")
    head --lines "$SHOWN_LINES" "$SAID" |
        sed --regexp-extended "s/^(.{$SHOWN_COLUMNS}).+/\1…/; s/^/      /; s/[[:space:]]*\$//"
    if ((lines > SHOWN_LINES)); then
        printf '      %s(%d more lines)%s\n' "$dim" $((lines - SHOWN_LINES)) "$plain"
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

proved() {
    printf '    %s✓ %s%s\n' "$green" "$1" "$plain"
}

# Ends the step.
give_up() {
    echo "$1" >"$WHY"
    exit 1
}

crossed() {
    printf '    %s✗ %s%s\n' "$red" "${1//$'\n'/$'\n'      }" "$plain"
}

show_failure() {
    crossed "$(<"$WHY")"
    if (($(wc -l <"$SAID") > SHOWN_LINES)); then
        echo "    all of the output:"
        sed 's/^/      /' "$SAID"
    fi
    echo "    the end of the plugin's log:"
    plugin_log | sed 's/^/      /'
}

# make_room COMMAND...: the user removes what the steps before have left. After a failure nobody knows what that is, so all
# that is on networks of this driver goes, without being shown.
make_room() {
    local command
    if [[ -e $UNTIDY ]]; then
        sweep
        rm "$UNTIDY"
        return
    fi
    for command in "$@"; do
        run "$command"
    done
}

sweep() {
    local network containers
    for network in $(docker network ls --quiet --filter driver=ipvland); do
        containers=$(docker ps --all --quiet --filter "network=$network")
        # shellcheck disable=SC2086  # one word a container
        [[ -z $containers ]] || timeout "$COMMAND_LIMIT" docker rm --force $containers
        timeout "$COMMAND_LIMIT" docker network rm "$network"
    done >/dev/null 2>&1 || true
    lan reflect off
}

# Leaves the machine so that the links tell what the driver did.
prepare_links() {
    # On its first use the kernel's module makes a link of its own, which nobody asked for.
    modprobe dummy numdummies=0
    # eth1 is on the same wire, and would answer for eth0's address: what the router sends to eth0 would go there.
    echo 1 >/proc/sys/net/ipv4/conf/eth1/arp_ignore

    link_names >"$SCRATCH/links"
}

# Without the name of what a link is stacked on, which `ip` appends.
link_names() {
    ip -brief link | sed 's/[@ ].*//' | sort
}

network_id() {
    docker network inspect --format '{{.Id}}' "$1"
}
