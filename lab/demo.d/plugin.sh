# The plugin: where systemd holds its socket, the one that is installed; else `ipvland serve`, for as long as the demo
# lasts.
# shellcheck shell=bash

readonly PLUGIN_SOCKET=/run/docker/plugins/ipvland.sock PLUGIN_LOG=/var/log/ipvland.log
readonly PLUGIN_LIMIT=20
plugin_pid='' plugin_is_installed=no

start_plugin() {
    local deadline=$((SECONDS + PLUGIN_LIMIT))
    if systemd_listens; then
        plugin_is_installed=yes
        show_command "systemctl is-active ipvland.socket"
        proved "systemd holds $PLUGIN_SOCKET, and starts the driver at the first call"
        return
    fi
    show_command "ipvland serve 2>$PLUGIN_LOG &"
    if plugin_answers; then
        crossed "another ipvland serves $PLUGIN_SOCKET: stop it first"
        return
    fi
    ipvland serve >"$PLUGIN_LOG" 2>&1 </dev/null &
    plugin_pid=$!
    until plugin_answers; do
        if ! plugin_runs || ((SECONDS >= deadline)); then
            stop_plugin
            crossed "it does not answer at $PLUGIN_SOCKET"
            show_plugin_log
            return
        fi
        sleep 0.1
    done
    proved "Docker finds the driver at $PLUGIN_SOCKET"
}

# The file alone says nothing: one that was killed leaves it.
plugin_answers() {
    curl --silent --max-time 5 --output /dev/null --unix-socket "$PLUGIN_SOCKET" http://localhost/
}

systemd_listens() {
    systemctl --quiet is-active ipvland.socket 2>/dev/null
}

plugin_runs() {
    if [[ $plugin_is_installed == yes ]]; then
        systemd_listens
        return
    fi
    [[ -n $plugin_pid ]] && kill -0 "$plugin_pid" 2>/dev/null
}

show_plugin_log() {
    if [[ $plugin_is_installed == yes ]]; then
        echo "    the end of its journal:"
        journalctl --quiet --no-pager --unit ipvland.service --lines 20 | sed 's/^/      /'
        return
    fi
    echo "    the end of $PLUGIN_LOG:"
    tail --lines 20 "$PLUGIN_LOG" | sed 's/^/      /'
}

stop_plugin() {
    [[ -z $plugin_pid ]] || ! plugin_runs || kill "$plugin_pid"
    plugin_pid=
}
