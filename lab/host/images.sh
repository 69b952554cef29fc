# The container images. There is no registry to pull from, so static busybox with its links stands in for `alpine`, and the
# same with busybox's web server for `nginx`: documented commands then run to the letter. The tars lie in the root image;
# guest/engine imports them.
# shellcheck shell=bash

make_container_images() {
    local root=$1 tree=$1/../container applet
    mkdir -p "$tree"/{bin,dev,etc,home,proc,root,run,sbin,sys,tmp,usr/bin,usr/sbin,var/www}
    chmod 1777 "$tree/tmp"
    cp "$root/usr/bin/busybox" "$tree/bin/busybox"
    for applet in $("$tree/bin/busybox" --list); do
        [[ $applet == busybox ]] || ln -s busybox "$tree/bin/$applet"
    done
    echo 'root:x:0:0:root:/root:/bin/sh' >"$tree/etc/passwd"
    echo 'root:x:0:' >"$tree/etc/group"
    echo '<h1>Welcome to nginx!</h1>' >"$tree/var/www/index.html"
    as_root mkdir -p "$root/usr/share/lab"
    as_root tar --create --file "$root/usr/share/lab/container.tar" --owner=0 --group=0 --numeric-owner -C "$tree" .
    rm -r "$tree"
}
