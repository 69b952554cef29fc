# L2 mode, as the documentation walks through it.
# shellcheck shell=bash

l2_explicit() {
    run 'docker network create -d ipvland \
    --subnet=192.168.1.0/24 \
    --gateway=192.168.1.1 \
    -o ipvlan_mode=l2 \
    -o parent=eth0 db_net'
    run "docker network inspect --format '{{.Driver}} {{.Options}} {{.IPAM.Config}}' db_net"
    shows '^ipvland ' 'parent:eth0' 'ipvlan_mode:l2' '192\.168\.1\.0/24 .*192\.168\.1\.1 '
    run "ipvland network inspect $(docker network ls --quiet --filter name=db_net)"
    shows ' l2 +bridge ' 'gateway of 192\.168\.1\.0/24: 192\.168\.1\.1$'
    record_of db_net >"$SCRATCH/explicit-record"
    proved "the network is made, with the gateway, the mode and the parent that were asked for"
}

l2_container() {
    converse 'docker run --net=db_net -it --rm alpine /bin/sh' 'ip address show eth0' 'ip route'
    shows 'inet 192\.168\.1\.[0-9]+/24' '^default via 192\.168\.1\.1 dev eth0'
    routes >"$SCRATCH/explicit-routes"
    proved "a shell in a container with an address of the LAN, whose way out is the LAN's router"
}

l2_defaults() {
    run 'docker network rm db_net'
    run 'docker network create -d ipvland \
    --subnet=192.168.1.0/24 \
    -o parent=eth0 db_net_ipv'
    run "ipvland network inspect $(docker network ls --quiet --filter name=db_net_ipv)"
    same "the driver's records" "$(<"$SCRATCH/explicit-record")" "$(record_of db_net_ipv)"
    run 'docker run --net=db_net_ipv -it --rm alpine ip route'
    shows '^default via 192\.168\.1\.1 dev eth0'
    same "the routes of the containers" "$(<"$SCRATCH/explicit-routes")" "$(routes)"
    proved "without mode and gateway it is the same: l2, and 192.168.1.1, the first usable address"
}

l2_names() {
    run 'docker run --net=db_net_ipv --name=ipv1 -itd alpine /bin/sh'
    run 'docker run --net=db_net_ipv --name=ipv2 -it --rm alpine ping -c 4 -i 0.2 ipv1'
    shows '^PING ipv1 \(192\.168\.1\.' '4 packets transmitted, 4 packets received'
    proved "a second container reaches the first by its name"
}

l2_router() {
    run 'docker exec ipv1 ping -c 2 -i 0.2 192.168.1.1'
    shows '2 packets received'
    proved "the router answers the container"
}

l2_neighbour() {
    local address
    run 'docker exec ipv1 ping -c 2 -i 0.2 192.168.1.200'
    shows '2 packets received'
    address=$(docker inspect --format '{{.NetworkSettings.Networks.db_net_ipv.IPAddress}}' ipv1)
    run "ip netns exec neighbour ping -c 1 -W 5 $address"
    shows '1 received'
    proved "container and second machine reach each other, in both directions"
}

l2_page() {
    local machine
    run 'docker run --net=db_net_ipv --ip=192.168.1.80 --name=web -d nginx'
    for machine in router neighbour; do
        run "ip netns exec $machine curl --silent --max-time 10 http://192.168.1.80/"
        shows 'Welcome to nginx'
    done
    run 'docker port web'
    hides .
    proved "both machines see nginx's page at the container's own address; no port is mapped"
}

l2_host() {
    unreached 'docker exec ipv1 ping -c 1 -W 1 192.168.1.250'
    unreached 'ping -c 1 -W 1 192.168.1.80'
    proved "the parent's own address and the containers do not reach each other, as the kernel means it to be"
}

l2_overview() {
    run 'docker ps'
    shows 'alpine .* ipv1$' 'nginx .* web$'
    run 'docker network inspect db_net_ipv'
    same "the containers on the network" $'ipv1\nweb 192.168.1.80/24' "$(
        jq --raw-output '.[0].Containers[] | if .Name == "web" then "\(.Name) \(.IPv4Address)" else .Name end' "$SAID" | sort
    )"
    proved "the containers and their addresses are where a user of Docker looks for them"
}

routes() {
    grep --extended-regexp '^(default|[0-9.]+/[0-9]+) ' "$SAID" | sed 's/[[:space:]]*$//'
}

# What the driver has on record for a network, but for what no two networks share.
record_of() {
    ipvland network inspect "$(network_id "$1")" --output json | jq --sort-keys 'del(.. | .id?, .name?)'
}
