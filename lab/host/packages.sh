# Installs what the host lacks, and only that: a machine that has the programs is never asked for root.
# shellcheck shell=bash

install_missing() {
    local missing=()
    command -v mmdebstrap >/dev/null || missing+=(mmdebstrap)
    command -v qemu-system-x86_64 >/dev/null || missing+=(qemu-system-x86)
    # mke2fs lives in /usr/sbin, which is not on every user's PATH.
    [[ -x /usr/sbin/mke2fs || -x /sbin/mke2fs ]] || missing+=(e2fsprogs)
    command -v xz >/dev/null || missing+=(xz-utils)
    [[ -e /usr/share/keyrings/debian-archive-keyring.gpg ]] || missing+=(debian-archive-keyring)
    ((${#missing[@]})) || return 0

    command -v apt-get >/dev/null || fail "missing here: ${missing[*]}; without apt-get, install them by hand"
    ((EUID == 0)) || command -v sudo >/dev/null || fail "missing here: ${missing[*]}; run as root or install sudo"
    say "installing ${missing[*]}"
    run_logged "$LAB_DIR/apt-update.log" as_root apt-get update
    run_logged "$LAB_DIR/apt-install.log" as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install --yes --no-install-recommends "${missing[@]}"
}
