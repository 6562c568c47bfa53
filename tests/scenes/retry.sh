### -d retry:{tcp:127.0.0.1:5900}:backoff=1s..10s:tries=5
ours 9000 "$example"
receive TCP:127.0.0.1:9000 &
wait_for grep -q 'connection refused' log
echo_at 127.0.0.1 5900
wait_for grep -q ping got

### -d retry:9000
ours 9001 "$example"
receive TCP:127.0.0.1:9001 &
wait_for grep -q 'connection refused' log
echo_at 127.0.0.1 9000
wait_for grep -q ping got

### -e retry:{tcp:8080:interface=192.0.2.7}:timeout=60s
ip address del 192.0.2.1/24 dev lo
ip address add 192.0.2.1/32 dev lo
endpointforward -e "$example" -d echo 2>>log &
wait_for grep -qE 'not available|cannot assign|cannot listen' log
ip address add 192.0.2.7/32 dev lo
wait_for open_port 8080
ask TCP:192.0.2.7:8080
