# The second disk: a tar with the guest's scripts, the programs to copy and the command. The guest unpacks it to memory
# at boot, so nothing of it is read over 9p.
# shellcheck shell=bash

# pack_run_disk KIND ENGINE SYSTEMD DISK [FILE[:NAME]...] -- [COMMAND [ARG...]]
pack_run_disk() {
    local kind=$1 engine=$2 systemd=$3 disk=$4 tree file name
    shift 4
    # The machine's lock is held, so the name is ours; an interrupted run may have left it.
    tree=$LAB_DIR/run
    rm -rf "$tree"
    mkdir -p "$tree/bin"
    ln -s "$LAB_HOME/guest" "$tree/guest"
    while [[ $1 != -- ]]; do
        file=${1%%:*} name=${1##*/}
        [[ $1 != *:* ]] || name=${1#*:}
        ln -s "$(realpath "$file")" "$tree/bin/$name"
        shift
    done
    shift
    {
        printf 'kind=%q\nengine=%q\nsystemd=%q\ndisk=%q\n' "$kind" "$engine" "$systemd" "$disk"
        [[ $kind == script ]] || printf 'terminal=%q\nsize=%q\n' "${TERM:-linux}" "$(stty size)"
    } >"$tree/settings"
    # Quoted for the guest's bash, which runs it as it was typed.
    (($# == 0)) || printf '%q ' "$@" >"$tree/command"
    tar --create --dereference --file "$LAB_DIR/run.tar" --owner=0 --group=0 --numeric-owner --mode=u+rwX,go+rX -C "$tree" .
    rm -r "$tree"
}
