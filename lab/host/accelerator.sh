# Which accelerator to use. /dev/kvm may be there and useless (a guest that hangs in it, an emulator that aborts), so
# software emulation is the default, and who asks for KVM with LAB_KVM=1 gets it where a trial boot has shown that it works.
# shellcheck shell=bash

readonly LAB_KVM_TRIAL_LIMIT=30

# Sets `accelerator`, the emulator's arguments.
# shellcheck disable=SC2034 # by lab
choose_accelerator() {
    # Fewer levels of page tables and fewer protections are fewer things to emulate: an exec is 15 % faster without.
    accelerator=(-machine q35 -accel 'tcg,thread=multi,tb-size=1024' -cpu 'max,la57=off,smap=off,smep=off,pku=off')
    [[ ${LAB_KVM:-0} == 1 ]] || return 0
    local kvm=(-machine q35 -accel kvm -cpu host) verdict
    # The verdict of one kernel says nothing of the next one's.
    verdict=$LAB_DIR/kvm-$(uname -r)
    if [[ ! -e $verdict ]]; then
        say "trying KVM (at most $LAB_KVM_TRIAL_LIMIT s)"
        pack_run_disk script no no '' -- true
        if run_machine script "$LAB_KVM_TRIAL_LIMIT" '' "${kvm[@]}" 2>"$LAB_DIR/kvm-trial.log"; then
            echo works >"$verdict"
        else
            echo fails >"$verdict"
        fi
    fi
    if [[ $(<"$verdict") == works ]]; then
        accelerator=("${kvm[@]}")
    else
        say "KVM does not work here ($verdict; remove it to try again): software emulation"
    fi
}
