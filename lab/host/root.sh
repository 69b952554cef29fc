# Builds what the machine boots from: a root image, a kernel and a small initramfs, in one folder per release whose name
# carries the hash of all that shapes it. A folder appears by a rename when it is complete, so an interrupted build leaves
# nothing that could be taken for one, and a changed list or script builds anew.
#
# The root is an ext4 image on virtio-blk and not a directory over 9p: an exec of a program over 9p takes 40 ms and more,
# and the engine's programs are 20 to 90 MB each.
# shellcheck shell=bash

# With the release's own, the files that shape an image.
readonly ROOT_SOURCES=(guest/packages host/root.sh host/root-customize host/images.sh guest/initramfs)

root_folder() {
    local hash
    hash=$(cd "$LAB_HOME" && sha256sum "releases/$LAB_RELEASE" "${ROOT_SOURCES[@]}" | sha256sum)
    echo "$LAB_DIR/$LAB_RELEASE-${hash:0:12}"
}

build_root() {
    local folder building
    folder=$(root_folder)
    [[ -d $folder ]] && return
    take_lock "$LAB_DIR/build.lock" "another build"
    [[ -d $folder ]] && return

    # With the lock held, whatever is left of other builds is of no use to anyone.
    as_root rm -rf --one-file-system "$LAB_DIR"/*.building
    building=$folder.building
    mkdir "$building"
    make_root "$building"
    make_image "$building"
    make_initramfs "$building"
    as_root rm -rf --one-file-system "$building/root"
    mv "$building" "$folder"
    find "$LAB_DIR" -maxdepth 1 -type d -name "$LAB_RELEASE-*" ! -path "$folder" -exec rm -rf {} +
    say "built $folder"
}

# What is asked for in the list of all roots and in the release's own: packages, and `apt: OPTION` in the words of apt.conf.
listed() {
    sed -e 's/#.*//' -e '/^\s*$/d' "$LAB_HOME/guest/packages" "$LAB_HOME/releases/$LAB_RELEASE"
}

make_root() {
    local packages kernel options
    packages=$(listed | sed -e '/^apt:/d' -e '/^linux-image/d' | paste -sd,)
    kernel=$(listed | grep '^linux-image')
    mapfile -t options < <(listed | sed -n 's/^apt: */--aptopt=/p')
    say "building the $LAB_RELEASE root"
    # In a mount namespace of its own: however it is interrupted, none of its mounts stays behind.
    run_logged "$LAB_DIR/mmdebstrap.log" as_root unshare --mount mmdebstrap --variant=apt --include="$packages" \
        --customize-hook="$LAB_HOME/host/root-customize \"\$1\" $kernel" "${options[@]}" "$LAB_RELEASE" "$1/root"
    as_root mv "$1/root/boot/vmlinuz" "$1/vmlinuz"
}

make_image() {
    say "making the root image"
    make_container_images "$1/root"
    local size
    size=$(as_root du --summarize --block-size=1M "$1/root" | cut -f1)
    # No journal: the machine never writes to it.
    run_logged "$LAB_DIR/mke2fs.log" as_root env "PATH=$PATH:/usr/sbin:/sbin" \
        mke2fs -t ext4 -O '^has_journal,^metadata_csum,^resize_inode' -m 0 -d "$1/root" "$1/root.ext4" "$((size * 5 / 4 + 64))M"
    as_root chown "$(id -u):$(id -g)" "$1/root.ext4"
}

# The initramfs holds a static shell and the few modules that lead to the root.
make_initramfs() {
    local root=$1/root tree=$1/initramfs module n=10
    mkdir -p "$tree"/{bin,dev,modules,lower,upper,new}
    cp "$root/usr/bin/busybox" "$tree/bin/"
    cp "$LAB_HOME/guest/initramfs" "$tree/init"
    for module in $(boot_modules "$root"); do
        cp "$root$module" "$tree/modules/$n-${module##*/}"
        n=$((n + 1))
    done
    (cd "$tree" && find . | bin/busybox cpio -o -H newc) >"$1/initramfs.cpio" 2>/dev/null
    rm -rf "$tree"
}

# In the order in which they must be loaded.
boot_modules() {
    local root=$1 version module
    version=$(ls "$root/usr/lib/modules")
    for module in virtio_pci virtio_console virtio_blk ext4 overlay 9pnet_virtio 9p; do
        as_root chroot "$root" modprobe --set-version "$version" --show-depends "$module"
    done | awk '/^insmod/ && !seen[$2]++ { print $2 }'
}
