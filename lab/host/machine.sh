# Starts the machine, streams what its command says and finds out how it ended. The guest talks over three virtio ports:
# the lab's own line protocol (`step TEXT`, `ready`, `exit STATUS`, `failed TEXT`), the command's stdout and its stderr. A machine that
# does not say `exit` has failed, however it ended: a panic, a hang and a killed emulator all look like silence.
#
# qemu is called directly. virtme-ng was measured first: its own init needs 8 s to the first command from a block image
# and 12 s from a directory, this one 3 s.
# shellcheck shell=bash

# The guest says `ready` when the command starts: with the engine, some 15 s after power on. Silence until then is failure.
readonly LAB_BOOT_LIMIT=${LAB_BOOT_LIMIT:-120}

# Measured under emulation, a warm `docker run` with and without: norandmaps 1.2 and 2.1 s (the emulator finds its translated
# code by virtual address, so programs that always load at the same one are translated once), the rest 1.0 and 1.2 s. lpj
# and tsc spare the boot a second of calibration. No AppArmor: its parser is not in the root.
readonly LAB_KERNEL_ARGUMENTS=(
    norandmaps nokaslr mitigations=off randomize_kstack_offset=off hardened_usercopy=off init_on_alloc=0
    transparent_hugepage=always 'cgroup.memory=nokmem,nosocket' nowatchdog lpj=10384700 tsc=reliable apparmor=0 audit=0
)

machine_pid=
trap stop_machine EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

stop_machine() {
    [[ -z $machine_pid ]] || kill -KILL "$machine_pid" 2>/dev/null || true
}

# run_machine KIND TIMEOUT DISK ACCELERATION...: boots with the disk $LAB_DIR/run.tar, and with that of the name DISK unless it
# is empty; returns the command's status. KIND is `script`, or `shell`, where the terminal takes the place of the two output
# ports.
run_machine() {
    local kind=$1 limit=$2 qemu protocol stdout stderr copiers=()
    shift 2
    emulator "$@"
    if [[ $kind == shell ]]; then
        qemu+=(-chardev 'stdio,id=terminal,signal=off' -device 'virtconsole,chardev=terminal')
    else
        # Through cat, because the emulator would cut off a file that stdout was redirected to.
        exec {stdout}> >(exec cat >&1)
        copiers+=($!)
        exec {stderr}> >(exec cat >&2)
        copiers+=($!)
        qemu+=(
            -chardev "file,id=stdout,path=/proc/self/fd/$stdout" -device 'virtserialport,nr=2,chardev=stdout'
            -chardev "file,id=stderr,path=/proc/self/fd/$stderr" -device 'virtserialport,nr=3,chardev=stderr'
        )
    fi
    : >"$LAB_DIR/last-boot.log"
    exec {terminal}>&1
    exec {protocol}< <(exec 3>&1 1>&"$terminal" && exec "${qemu[@]}")
    machine_pid=$!
    exec {terminal}>&-
    [[ $kind == shell ]] || exec {stdout}>&- {stderr}>&-

    local status=0
    follow_protocol "$protocol" "$limit" || status=$?
    stop_machine
    # Ends when the emulator has let go of the ports, so nothing that the command said is lost.
    ((${#copiers[@]} == 0)) || wait "${copiers[@]}" || true
    machine_pid=
    return "$status"
}

# emulator DISK ACCELERATION...: sets `qemu`, all of the machine but the ports that depend on what is run.
emulator() {
    local folder disk=$1
    shift
    folder=$(root_folder)
    qemu=(
        setpriv --pdeathsig KILL
        qemu-system-x86_64 -name ipvland-lab -nodefaults -no-user-config -display none -no-reboot
        "$@" -smp 2 -m "${LAB_MEMORY:-4G}"
        -kernel "$folder/vmlinuz" -initrd "$folder/initramfs.cpio"
        -append "console=ttyS0 quiet loglevel=5 panic=-1 ${LAB_KERNEL_ARGUMENTS[*]}"
        -chardev "file,id=log,path=$LAB_DIR/last-boot.log" -serial chardev:log
        -drive "if=none,id=root,file=$folder/root.ext4,format=raw,readonly=on" -device 'virtio-blk-pci,drive=root'
        -drive "if=none,id=run,file=$LAB_DIR/run.tar,format=raw,readonly=on" -device 'virtio-blk-pci,drive=run'
        -fsdev "local,id=src,path=$LAB_CHECKOUT,security_model=none,readonly=on,multidevs=remap"
        -device 'virtio-9p-pci,fsdev=src,mount_tag=src'
        -fsdev "local,id=out,path=$LAB_DIR/out,security_model=none,multidevs=remap"
        -device 'virtio-9p-pci,fsdev=out,mount_tag=out'
        -device virtio-serial-pci
        -chardev 'file,id=protocol,path=/proc/self/fd/3' -device 'virtserialport,nr=1,chardev=protocol'
    )
    # What the machine has written is in the host's cache, which outlives the emulator: the host's own disk need not be waited
    # for, and that is all that `unsafe` leaves out with a raw file.
    [[ -z $disk ]] || qemu+=(
        -drive "if=none,id=disk,file=$(disk_file "$disk"),format=raw,cache=unsafe" -device 'virtio-blk-pci,drive=disk'
    )
}

# follow_protocol FD LIMIT: reads what the guest reports until it says how its command ended.
follow_protocol() {
    local fd=$1 limit=$2 word rest got deadline
    local started=$SECONDS booting=1
    while true; do
        deadline=$((started + limit))
        ((booting && LAB_BOOT_LIMIT < limit)) && deadline=$((started + LAB_BOOT_LIMIT))
        got=0
        ((deadline > SECONDS)) && { read -r -t $((deadline - SECONDS)) -u "$fd" word rest || got=$?; }
        if ((deadline <= SECONDS || got > 128)); then
            if ((booting)); then
                machine_failed "the machine was not ready after $((SECONDS - started)) s"
                return "$LAB_FAILED"
            fi
            say "timed out: the command was still running after $limit s, boot included; raise it with --timeout"
            return "$LAB_TIMED_OUT"
        elif ((got)); then
            machine_failed "the machine ended without a status"
            return "$LAB_FAILED"
        fi
        case $word in
        step) say "$rest" ;;
        ready) booting=0 ;;
        exit) return "$rest" ;;
        failed)
            machine_failed "$rest"
            return "$LAB_FAILED"
            ;;
        *) say "the machine says: $word $rest" ;;
        esac
    done
}

machine_failed() {
    sleep 0.2
    tail -n 60 "$LAB_DIR/last-boot.log" >&2
    say "failed: $1; the end of its console is above, all of it in $LAB_DIR/last-boot.log"
}
