# 802.1Q trunks: the parent is a VLAN.
# shellcheck shell=bash

vlan() {
    local capture
    run 'docker network create -d ipvland \
    --subnet=192.168.10.0/24 \
    --gateway=192.168.10.1 \
    -o parent=eth0.10 ipvlan10'
    run 'ip -d link show eth0.10'
    shows 'eth0\.10@eth0: .*[<,]UP[,>]' 'vlan protocol 802\.1Q id 10 '
    start_capture router 'vlan 10 and icmp'
    run 'docker run --net=ipvlan10 -it --rm alpine ping -c 1 -W 5 192.168.10.1'
    shows '1 packets received'
    show_capture
    shows 'ethertype 802\.1Q.* vlan 10, .* > 192\.168\.10\.1: ICMP echo request'
    run 'docker network rm ipvlan10'
    refused 'ip link show eth0.10'
    shows 'does not exist'
    proved "frames carry tag 10 on the router's wire, and the link is gone with its network"
}

# start_capture NAMESPACE FILTER: sets `capture`, the process that waits for one frame.
start_capture() {
    local command="ip netns exec $1 tcpdump -e -n -i lan0 -c 1 $2"
    show_command "$command &"
    # shellcheck disable=SC2086  # the words of a command
    timeout 30 $command --immediate-mode >"$SCRATCH/frame" 2>"$SCRATCH/tcpdump" &
    capture=$!
    until grep --quiet listening "$SCRATCH/tcpdump"; do
        kill -0 "$capture" 2>/dev/null || give_up "tcpdump: $(<"$SCRATCH/tcpdump")"
        sleep 0.1
    done
}

show_capture() {
    wait "$capture" || give_up "no such frame passed"
    cp "$SCRATCH/frame" "$SAID.raw"
    show_output
}
