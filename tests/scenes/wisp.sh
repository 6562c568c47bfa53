### -e wisp:{ws:6001}
listen target:allow=*
echo_at $site 9000
echo_udp_at $site 9000
same "$("$python" "$peers/wisp_ask.py" ws://127.0.0.1:6001/ 1)" 'ping ping'

### -e wisp:{ws:6001:path=/wisp/:page=./public}:sockets=32
mkdir public
echo 'a page' >public/index.html
listen target:allow=*
echo_at $site 9000
echo_udp_at $site 9000
same "$(web http://127.0.0.1:6001/wisp/)" 'a page'
same "$("$python" "$peers/wisp_ask.py" ws://127.0.0.1:6001/wisp/ 16)" "$(for _ in {1..16}; do printf 'ping ping '; done | sed 's/ $//')"
! "$python" "$peers/wisp_ask.py" ws://127.0.0.1:6001/wisp/ 17 >got 2>>log || fail "a 33rd stream"
