### -e ws2s:{ws:3613}
listen 'tcp:${target.host}:${target.port}:allow=*'
echo_at $site 6379
same "$("$python" "$peers/ws2s_ask.py" ws://127.0.0.1:3613/)" ping

### -e ws2s:{ws:3613:origin={https://redis.example}}
listen 'tcp:${target.host}:${target.port}:allow=*'
echo_at $site 6379
same "$("$python" "$peers/ws2s_ask.py" ws://127.0.0.1:3613/ https://redis.example)" ping
! "$python" "$peers/ws2s_ask.py" ws://127.0.0.1:3613/ https://other.example 2>>log || fail "another origin"
