# Addresses dealt from the ledger.
# shellcheck shell=bash

dealt() {
    make_room 'docker rm --force web6' 'docker network rm dual'
    run 'docker network create -d ipvland --ipam-driver ipvland \
    --subnet=192.168.1.0/24 --ipam-opt probe=200ms \
    -o parent=eth0 office'
    run 'docker network create -d ipvland --ipam-driver ipvland \
    --subnet=192.168.1.0/24 --ip-range=192.168.1.200/30 --ipam-opt probe=200ms \
    -o parent=eth0 guests'
    run 'docker run --net=office --name=desk -itd alpine /bin/sh'
    run 'docker run --net=guests --name=sofa -itd alpine /bin/sh'
    run "docker exec sofa ip -4 address show dev eth0"
    shows '192\.168\.1\.201/24'
    hides '192\.168\.1\.200/24'
    run 'docker exec sofa ping -c 1 -W 5 192.168.1.2'
    refused 'docker run --net=guests --ip=192.168.1.2 --rm alpine true'
    shows 'address 192\.168\.1\.2 is held by endpoint'
    run 'ipvland addresses'
    shows '^ *192\.168\.1\.1 .* gateway' '^ *192\.168\.1\.2 .* endpoint' '^ *192\.168\.1\.200 .* on the wire'
    run 'ipvland who-has 192.168.1.201'
    shows 'container sofa'
    proved "two networks share a subnet and its router, no address is dealt twice, and the neighbour's 192.168.1.200 not at all"
}
