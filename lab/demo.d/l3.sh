# L3 and L3S mode: the host routes, and the router has a route to the containers' subnets.
# shellcheck shell=bash

l3() {
    make_room 'docker rm --force ipv1 web' 'docker network rm db_net_ipv'
    run 'docker network create -d ipvland \
    --subnet=192.168.214.0/24 \
    --subnet=10.1.214.0/24 \
    -o ipvlan_mode=l3 \
    -o parent=eth0 ipnet210'
    run 'docker run --net=ipnet210 --ip=192.168.214.10 --name=west -itd alpine /bin/sh'
    run 'docker run --net=ipnet210 --ip=10.1.214.10 --name=east -itd alpine /bin/sh'
    run 'docker run --net=ipnet210 --ip=192.168.214.9 -it --rm alpine ping -c 2 -i 0.2 10.1.214.10'
    shows '2 packets received'
    run 'docker run --net=ipnet210 --ip=10.1.214.9 -it --rm alpine ping -c 2 -i 0.2 192.168.214.10'
    shows '2 packets received'
    run 'docker exec west ip route'
    shows '^default dev eth0'
    hides ' via '
    run 'ip netns exec neighbour ping -c 2 -i 0.2 -W 5 192.168.214.10'
    shows '2 received'
    proved "two subnets reach each other, the way out is the interface itself, and the LAN comes in through its router"
}

l3s() {
    make_room 'docker rm --force west east' 'docker network rm ipnet210'
    run 'docker network create -d ipvland \
    --subnet=192.168.214.0/24 \
    -o ipvlan_mode=l3s \
    -o parent=eth0 ipnet_l3s'
    run 'docker run --net=ipnet_l3s --ip=192.168.214.10 --name=west -itd alpine /bin/sh'
    run 'docker exec west ip route'
    shows '^default dev eth0'
    run 'ip netns exec neighbour ping -c 1 -W 5 192.168.214.10'
    run 'iptables --insert INPUT --destination 192.168.214.10 --protocol icmp --jump DROP'
    if ! (unreached 'ip netns exec neighbour ping -c 1 -W 1 192.168.214.10'); then
        iptables --delete INPUT --destination 192.168.214.10 --protocol icmp --jump DROP
        return 1
    fi
    run 'iptables --delete INPUT --destination 192.168.214.10 --protocol icmp --jump DROP'
    run 'ip netns exec neighbour ping -c 1 -W 5 192.168.214.10'
    proved "routed as in l3, and the host's firewall has a say in what comes in"
}
