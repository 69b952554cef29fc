# A disk that outlives its machine: two runs with the same one are two lives of one machine. The emulator is killed or ends by
# a reset, and nothing is unmounted before, so what lies between the two is a power loss.
# shellcheck shell=bash

# Bytes of it are taken from the host as they are written.
readonly LAB_DISK_SIZE=8G

disk_file() {
    echo "$LAB_DIR/$1.img"
}

# make_disk NAME: makes and formats it where it is not there.
make_disk() {
    local file
    file=$(disk_file "$1")
    [[ -e $file ]] && return
    rm -f "$file.new"
    truncate --size="$LAB_DISK_SIZE" "$file.new"
    run_logged "$LAB_DIR/mke2fs-disk.log" env "PATH=$PATH:/usr/sbin:/sbin" mke2fs -q -t ext4 "$file.new"
    # By a rename, so that what an interrupted run leaves is not taken for a disk.
    mv "$file.new" "$file"
}
