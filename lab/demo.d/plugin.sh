# The plugin: `ipvland serve`, for as long as the demo lasts.
# shellcheck shell=bash

readonly PLUGIN_SOCKET=/run/docker/plugins/ipvland.sock PLUGIN_LOG=/var/log/ipvland.log
readonly PLUGIN_LIMIT=20
plugin_pid=

start_plugin() {
    local deadline=$((SECONDS + PLUGIN_LIMIT))
    show_command "ipvland serve 2>$PLUGIN_LOG &"
    if [[ -S $PLUGIN_SOCKET ]]; then
        crossed "$PLUGIN_SOCKET is there already: stop the ipvland that serves it"
        return
    fi
    ipvland serve >"$PLUGIN_LOG" 2>&1 </dev/null &
    plugin_pid=$!
    until [[ -S $PLUGIN_SOCKET ]]; do
        if ! plugin_runs || ((SECONDS >= deadline)); then
            stop_plugin
            crossed "there is no $PLUGIN_SOCKET"
            plugin_log | sed 's/^/      /'
            return
        fi
        sleep 0.1
    done
    proved "Docker finds the driver at $PLUGIN_SOCKET"
}

plugin_runs() {
    [[ -n $plugin_pid ]] && kill -0 "$plugin_pid" 2>/dev/null
}

plugin_log() {
    [[ ! -e $PLUGIN_LOG ]] || tail --lines 20 "$PLUGIN_LOG"
}

stop_plugin() {
    ! plugin_runs || kill "$plugin_pid"
    plugin_pid=
}
