# Networks that reach nothing but themselves.
# shellcheck shell=bash

internal() {
    run 'docker network create -d ipvland \
    --subnet=192.168.11.0/24 --internal isolated2'
    run 'docker run --net=isolated2 --name=cid2 -itd alpine /bin/sh'
    run 'docker run --net=isolated2 -it --rm alpine ping -c 1 -W 5 cid2'
    unreached 'docker exec cid2 ping -c 1 -W 1 192.168.1.1'
    run 'ip -brief link show type dummy'
    shows "^$(dummy_of isolated2) "
    proved "the containers reach each other and nothing else: their parent is a dummy link"
}

no_parent() {
    local first third
    run 'docker network create -d ipvland \
    --subnet=192.168.10.0/24 isolated1'
    run 'docker network create -d ipvland isolated3'
    first=$(dummy_of isolated1) third=$(dummy_of isolated3)
    run 'ip -brief link show type dummy'
    shows "^$first " "^$third "
    run 'docker run --net=isolated1 --name=cid1 -itd alpine /bin/sh'
    run 'docker run --net=isolated1 -it --rm alpine ping -c 1 -W 5 cid1'
    unreached 'docker exec cid1 ping -c 1 -W 1 192.168.1.1'
    run 'docker rm --force cid1'
    run 'docker network rm isolated1 isolated3'
    run 'ip -brief link show type dummy'
    hides "^$first " "^$third "
    proved "without a parent it is the same, even without a subnet; the dummy links come and go with their networks"
}

dummy_of() {
    local id
    id=$(network_id "$1")
    echo "ivd-${id:0:11}"
}
