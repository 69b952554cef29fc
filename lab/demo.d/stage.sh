# Steps: their marks, what is shown when one fails, and the count. A step is a function that runs in a subshell: what is
# wrong ends it and it alone.
# shellcheck shell=bash

SCRATCH=$(mktemp -d)
# Files, as a step is a process of its own: what the last command said, why the step fails, whether one has failed.
readonly SCRATCH SAID=$SCRATCH/said WHY=$SCRATCH/why UNTIDY=$SCRATCH/untidy
readonly demo_started=$SECONDS
total=0 passed=0

BOLD='' DIM='' GREEN='' RED='' PLAIN=''
if [[ -t 1 || -n ${FORCE_COLOR:-} ]]; then
    BOLD=$'\e[1m' DIM=$'\e[2m' GREEN=$'\e[32m' RED=$'\e[31m' PLAIN=$'\e[0m'
fi

introduce() {
    printf 'Docker Engine %s, kernel %s, %s\n' "$(docker version --format '{{.Server.Version}}')" "$(uname -r)" \
        "$(ipvland --version)"
    printf 'On the LAN: this host 192.168.1.250 (eth0), the router 192.168.1.1, a second machine 192.168.1.200\n\n'
}

heading() {
    printf '\n%s== %s%s\n' "$BOLD" "$1" "$PLAIN"
}

# step FUNCTION TITLE
step() {
    local started=$EPOCHREALTIME status
    total=$((total + 1))
    printf '\n%s%2d. %s%s\n' "$BOLD" "$total" "$2" "$PLAIN"
    : >"$SAID"
    echo "it ended early" >"$WHY"
    if ! plugin_runs; then
        # A call to a plugin that is not there takes the engine 15 s.
        crossed "not tried, as ipvland serve is not running"
        return
    fi
    (
        set -e
        "$1"
    )
    status=$?
    if ((status == 0)); then
        passed=$((passed + 1))
    else
        show_failure
        touch "$UNTIDY"
    fi
    printf '    %s%s s%s\n' "$DIM" "$(seconds_since "$started")" "$PLAIN"
}

finish() {
    # Ended by itself; where it has not come up, that was said at the start.
    [[ -z $plugin_pid ]] || plugin_runs || show_plugin_log
    printf '\n%d s in all\ndemo: %d of %d steps passed\n' $((SECONDS - demo_started)) "$passed" "$total"
    ((passed == total))
    exit
}

# However the demo ends: with the last step done there is nothing to sweep.
leave() {
    ! plugin_runs || sweep
    stop_plugin
    rm -r "$SCRATCH"
}

seconds_since() {
    local now=$EPOCHREALTIME tenths
    tenths=$(((${now/[.,]/} - ${1/[.,]/}) / 100000))
    echo "$((tenths / 10)).$((tenths % 10))"
}

proved() {
    printf '    %s✓ %s%s\n' "$GREEN" "$1" "$PLAIN"
}

# Ends the step.
give_up() {
    echo "$1" >"$WHY"
    exit 1
}

crossed() {
    printf '    %s✗ %s%s\n' "$RED" "${1//$'\n'/$'\n'      }" "$PLAIN"
}

show_failure() {
    crossed "$(<"$WHY")"
    if (($(wc -l <"$SAID") > SHOWN_LINES)); then
        echo "    all of the output:"
        sed 's/^/      /' "$SAID"
    fi
    show_plugin_log
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
