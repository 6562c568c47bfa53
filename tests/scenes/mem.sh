### -e mem:service
cat >where <<'END'
#!/bin/sh
# Clients of the port go to the other listener, and its clients to their own words.
case $(cat) in *tcp.peer*) echo mem:service ;; *) echo echo ;; esac
END
chmod +x where
endpointforward -e 9000 -e "$example" -d route:exec=./where 2>>log &
wait_for open_port 9000
ask TCP:127.0.0.1:9000

### -d mem:service
# The same the other way around: one process has both.
cat >hosts <<END
in: $example
END
endpointforward -e mem:service -e ws:9000 -d 'route:file=./hosts:default=echo' 2>>log &
wait_for open_port 9000
same "$(ws 'ws://127.0.0.1:9000/?token=in' ping)" ping
