# The plugin: `ipvland serve`, for as long as the demo lasts.
# shellcheck shell=bash

readonly PLUGIN_SOCKET=/run/docker/plugins/ipvland.sock PLUGIN_LOG=/var/log/ipvland.log
readonly PLUGIN_LIMIT=20
plugin_pid=

start_plugin() {
    local deadline=$((SECONDS + PLUGIN_LIMIT))
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

plugin_runs() {
    [[ -n $plugin_pid ]] && kill -0 "$plugin_pid" 2>/dev/null
}

show_plugin_log() {
    echo "    the end of $PLUGIN_LOG:"
    tail --lines 20 "$PLUGIN_LOG" | sed 's/^/      /'
}

stop_plugin() {
    ! plugin_runs || kill "$plugin_pid"
    plugin_pid=
}
