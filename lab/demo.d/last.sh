# A mistake, the driver's own overview, and what is left at the end.
# shellcheck shell=bash

wrong_option() {
    local links
    links=$(link_names)
    refused 'docker network create -d ipvland \
    --subnet=192.168.12.0/24 \
    -o ipvlan_mod=l2 \
    -o parent=eth0 mistaken'
    shows 'option .ipvlan_mod.' 'did you mean .ipvlan_mode.'
    refused 'docker network inspect mistaken'
    same "the links before and after" "$links" "$(link_names)"
    proved "the mistake is named, with what was probably meant, and nothing has changed"
}

status() {
    run 'ipvland status'
    shows 'eth0' 'l2' 'vepa' 'bridge'
    # shellcheck disable=SC2046  # one id a word
    shows $(docker network ls --quiet --filter driver=ipvland)
    same "the containers and the endpoints that live" "$(docker ps --quiet | wc -l)" \
        "$(ipvland status --output json | jq '[.endpoints[] | select(.verdict == "lives")] | length')"
    proved "ports with mode and flag, networks and endpoints at one look, and no fault"
}

nothing_left() {
    make_room 'docker rm --force one two cid2' 'docker network rm vepa_net isolated2'
    run 'ip -brief link'
    same "the links before the demo and after it" "$(<"$SCRATCH/links")" "$(link_names)"
    run 'ipvland status'
    same "networks and endpoints on record" '0 0' \
        "$(ipvland status --output json | jq --raw-output '"\(.networks | length) \(.endpoints | length)"')"
    proved "every link that was made is gone, and the driver has nothing on record"
}
