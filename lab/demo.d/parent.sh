# What networks on one parent have in common: the wire, and the mode and flag of the kernel's port.
# shellcheck shell=bash

dual_stack() {
    make_room 'docker rm --force west' 'docker network rm ipnet_l3s'
    run 'docker network create -d ipvland \
    --subnet=192.168.1.0/24 --gateway=192.168.1.1 \
    --ipv6 --subnet=2001:db8:1::/64 --gateway=2001:db8:1::1 \
    -o parent=eth0 dual'
    run 'docker run --net=dual --ip6=2001:db8:1::80 --name=web6 -d nginx'
    run "docker exec web6 sh -c 'ip route; ip -6 route'"
    shows '^default via 192\.168\.1\.1 dev eth0' '^default via 2001:db8:1::1 dev eth0'
    run 'docker exec web6 ping -c 1 -W 5 192.168.1.200'
    run 'docker exec web6 ping -c 1 -W 5 2001:db8:1::200'
    run "ip netns exec neighbour curl --silent --max-time 10 'http://[2001:db8:1::80]/'"
    shows 'Welcome to nginx'
    proved "one container speaks IPv4 and IPv6, each with its own router"
}

shared_parent() {
    make_room 'docker rm --force desk sofa' 'docker network rm office guests'
    run 'docker network create -d ipvland \
    --subnet=192.168.1.0/24 --gateway=192.168.1.1 --ip-range=192.168.1.64/26 \
    -o parent=eth0 first'
    run 'docker network create -d ipvland \
    --subnet=192.168.1.0/24 --gateway=192.168.1.200 --ip-range=192.168.1.128/26 \
    -o parent=eth0 second'
    run 'docker run --net=first --ip=192.168.1.61 --name=one -itd alpine /bin/sh'
    run 'docker run --net=second -it --rm alpine ping -c 1 -W 5 192.168.1.61'
    refused 'docker network create -d ipvland \
    --subnet=192.168.214.0/24 \
    -o ipvlan_mode=l3 \
    -o parent=eth0 third'
    shows 'eth0' "$(docker network ls --quiet --filter name=first)" "$(docker network ls --quiet --filter name=second)"
    run 'docker network ls --filter driver=ipvland'
    hides ' third '
    run 'docker exec one ping -c 1 -W 5 192.168.1.1'
    proved "equal mode and flag share a parent; another mode is refused by name, and the running container keeps its own"
}

private() {
    make_room 'docker rm --force one' 'docker network rm first second'
    run 'docker network create -d ipvland \
    --subnet=192.168.1.0/24 --gateway=192.168.1.1 \
    -o ipvlan_flag=private \
    -o parent=eth0 private_net'
    run 'docker run --net=private_net --ip=192.168.1.61 --name=one -itd alpine /bin/sh'
    run 'docker run --net=private_net --ip=192.168.1.62 --name=two -itd alpine /bin/sh'
    unreached 'docker exec one ping -c 1 -W 1 192.168.1.62'
    unreached 'docker exec two ping -c 1 -W 1 192.168.1.61'
    run 'docker exec one ping -c 1 -W 5 192.168.1.1'
    run 'docker exec two ping -c 1 -W 5 192.168.1.1'
    proved "both reach the router and neither reaches the other"
}

vepa() {
    make_room 'docker rm --force one two' 'docker network rm private_net'
    run 'docker network create -d ipvland \
    --subnet=192.168.1.0/24 --gateway=192.168.1.1 \
    -o ipvlan_flag=vepa \
    -o parent=eth0 vepa_net'
    run 'docker run --net=vepa_net --ip=192.168.1.61 --name=one -itd alpine /bin/sh'
    run 'docker run --net=vepa_net --ip=192.168.1.62 --name=two -itd alpine /bin/sh'
    unreached 'docker exec one ping -c 1 -W 1 192.168.1.62'
    run 'lan reflect on    # the lab'"'"'s switch sends back what came in'
    run 'docker exec one ping -c 1 -W 5 192.168.1.62'
    run 'lan reflect off'
    proved "what one container sends to another goes out to the switch and comes back"
}
