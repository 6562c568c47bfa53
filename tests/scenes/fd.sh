### -e fd:3
systemd-socket-activate -l 127.0.0.1:9000 endpointforward -e "$example" -d echo 2>>log &
wait_for open_port 9000
ask TCP:127.0.0.1:9000

### -d fd:4
echo_at 127.0.0.1 9000
exec 4<>/dev/tcp/127.0.0.1/9000
through
