### -d udp:192.0.2.53:53:via={socks5://proxy.example:1080}
host proxy.example
names_at 192.0.2.53
dante_at $site
ours udp:5300:interface=127.0.0.1 "$example"
dig_at 127.0.0.1 5300

### -d socks5-udp:{tls:{tcp:proxy.example:1080}}:host=example.com:port=443:user=ada:password-file=/run/secrets/proxy
host proxy.example example.com
trusted
echo_udp_at $site 443
mkdir /run/secrets
echo secret >/run/secrets/proxy
certificate proxy.example
printf 'ada:%s\n' "$(openssl passwd -apr1 secret)" >users
endpointforward -e "socks5:{tls:{tcp:1080:interface=$site}:cert=proxy.example.pem:key=proxy.example.key}:auth={htpasswd:users}" \
    -d 'target:allow={example.com:443}' 2>>log &
wait_for open_port 1080
ours udp:5300:interface=127.0.0.1 "$example"
wait_for open_udp 5300
ask_udp 127.0.0.1 5300
