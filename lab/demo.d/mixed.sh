# Docker, Podman and containerd side by side: their networks, their containers, and who has which address and reaches whom.
# shellcheck shell=bash

readonly EACH=20 TOTAL=60
# So many of each engine start at a time: two emulated processors are not much.
readonly AT_ONCE=5
# The first of the folder counts, and Podman has one there.
readonly CNI_NETWORK=/etc/cni/net.d/00-lan.conflist
# One line for each container: engine, name, process, address.
readonly CONTAINERS=$SCRATCH/containers
duplicates=0 unreachable=0 troubles=0

# There are no steps: what fails ends it all.
give_up() {
    crossed "$1"
    show_plugin_log
    exit 1
}

introduce_engines() {
    printf 'Docker %s, %s, %s, kernel %s, %s\n' "$(docker version --format '{{.Server.Version}}')" "$(podman --version)" \
        "$(containerd --version | cut -d ' ' -f 1,3)" "$(uname -r)" "$(ipvland --version)"
    printf 'On the LAN: this host 192.168.1.250 (eth0), the router 192.168.1.1, a second machine 192.168.1.200\n'
    engine images podman
    engine images containerd
}

make_networks() {
    run 'docker network create -d ipvland --ipam-driver ipvland \
    --subnet=192.168.1.0/24 --gateway=192.168.1.1 -o parent=eth0 lan'
    run 'podman network create -d ipvland \
    --subnet=192.168.1.0/24 --gateway=192.168.1.1 -o parent=eth0 lan'
    mkdir -p "${CNI_NETWORK%/*}"
    cat >"$CNI_NETWORK" <<'NETWORK'
{
  "cniVersion": "1.0.0",
  "name": "lan",
  "plugins": [{
    "type": "ipvland",
    "master": "eth0",
    "ipam": {
      "type": "ipvland",
      "ranges": [[{ "subnet": "192.168.1.0/24", "gateway": "192.168.1.1" }]],
      "routes": [{ "dst": "0.0.0.0/0" }]
    }
  }]
}
NETWORK
    run "cat $CNI_NETWORK"
}

# Side by side, and with more time than a single command has.
start_containers() {
    local started=$SECONDS pids=() pid
    start_of docker 'docker run -d --net=lan --name=docker-{} alpine sleep 1d'
    start_of podman 'podman run -d --network=lan --name=podman-{} alpine sleep 1d'
    start_of ctr 'ctr run -d --null-io --cni --runc-binary crun docker.io/library/alpine:latest ctr-{} sleep 1d'
    for pid in "${pids[@]}"; do
        wait "$pid" || trouble "not all of them have started"
    done
    sed 's/^/      /' "$SCRATCH"/start-*
    proved "$((SECONDS - started)) s for all of them"
}

# start_of ENGINE COMMAND: what was complained about stays in a file.
start_of() {
    local all="seq $EACH | xargs -P $AT_ONCE -I {} $2"
    show_command "$all &"
    timeout 600 bash -c "$all" </dev/null >/dev/null 2>"$SCRATCH/start-$1" &
    pids+=($!)
}

trouble() {
    crossed "$1"
    troubles=$((troubles + 1))
}

show_addresses() {
    local frontend count
    run 'ipvland addresses'
    for frontend in docker netavark cni; do
        count=$(ipvland addresses --output json | jq "[.addresses[] | select(.frontend == \"$frontend\")] | length")
        ((count == EACH)) || trouble "$EACH addresses of $frontend were expected, and there are $count"
    done
}

# By the engines' own word which containers run, and by the kernel's which address each has.
find_containers() {
    local engine name pid
    {
        docker ps --quiet | xargs docker inspect --format 'docker {{.Name}} {{.State.Pid}}'
        podman ps --quiet | xargs podman inspect --format 'podman {{.Name}} {{.State.Pid}}'
        ctr task list | awk '$3 == "RUNNING" { print "ctr", $1, $2 }'
    } | while read -r engine name pid; do
        echo "$engine ${name#/} $pid $(nsenter --net --target "$pid" ip -4 -json address show dev eth0 |
            jq --raw-output '.[0].addr_info[0].local')"
    done >"$CONTAINERS"
    (($(wc -l <"$CONTAINERS") == TOTAL)) || trouble "$TOTAL containers were expected, and $(wc -l <"$CONTAINERS") run"
}

count_duplicates() {
    local addresses
    addresses=$(cut -d ' ' -f 4 "$CONTAINERS" | sort -u | wc -l)
    duplicates=$(($(wc -l <"$CONTAINERS") - addresses))
    if ((duplicates == 0)); then
        proved "$addresses addresses in as many containers"
    else
        crossed "more than one container has"$'\n'"$(cut -d ' ' -f 4 "$CONTAINERS" | sort | uniq -d)"
    fi
}

# Each container asks all the others and the router.
count_unreachable() {
    local everyone pings
    everyone="192.168.1.1 $(cut -d ' ' -f 4 "$CONTAINERS" | paste -sd ' ')"
    # shellcheck disable=SC2016  # for the shell that runs it
    cut -d ' ' -f 3,4 "$CONTAINERS" | xargs -P 4 -L 1 bash -c '
        for address in '"$everyone"'; do
            [[ $address != "$1" ]] || continue
            nsenter --net --target "$0" ping -q -n -c 1 -w 8 "$address" >/dev/null 2>&1 || echo "$1 does not reach $address"
        done' >"$SCRATCH/unreached"
    unreachable=$(wc -l <"$SCRATCH/unreached")
    # As many others as there are but for one, and the router.
    pings=$(($(wc -l <"$CONTAINERS") * ($(wc -w <<<"$everyone") - 1)))
    if ((unreachable == 0)); then
        proved "all of $pings pings were answered"
    else
        crossed "$(<"$SCRATCH/unreached")"
    fi
}

remove_containers() {
    local name
    run "docker rm --force $(names_of docker) >/dev/null"
    run "podman rm --force --time 0 $(names_of podman) >/dev/null"
    for name in $(names_of ctr); do
        ctr task kill --signal SIGKILL "$name"
    done
    # shellcheck disable=SC2046  # one word a container
    ctr task rm --force $(names_of ctr) >/dev/null 2>&1
    # shellcheck disable=SC2046
    ctr container rm $(names_of ctr)
    run 'docker network rm lan'
    run 'podman network rm lan'
    rm "$CNI_NETWORK"
    run 'ipvland addresses'
    hides 'endpoint'
    same "the links before and after" "$(<"$SCRATCH/links")" "$(link_names)"
}

names_of() {
    awk -v engine="$1" '$1 == engine { printf "%s ", $2 }' "$CONTAINERS"
}

leave_engines() {
    stop_plugin
    rm -r "$SCRATCH"
}

finish_mixed() {
    local containers
    containers=$(wc -l <"$CONTAINERS")
    # shellcheck disable=SC2154  # of stage.sh
    printf '\n%d s in all\nmixed: %d containers, %d duplicates, %d unreachable\n' $((SECONDS - demo_started)) "$containers" \
        "$duplicates" "$unreachable"
    ((containers == TOTAL && duplicates == 0 && unreachable == 0 && troubles == 0))
    exit
}
