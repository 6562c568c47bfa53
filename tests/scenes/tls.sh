### -e tls:8443:cert=self-signed
listen
ask OPENSSL:127.0.0.1:8443,verify=0
fingerprint=$(openssl s_client -connect 127.0.0.1:8443 2>>log </dev/null | openssl x509 -noout -fingerprint -sha256 | cut -d= -f2)
grep -qiE "${fingerprint//:/:?}" log

### -e tls:{tcp:443}:cert=/etc/letsencrypt/live/example.com/fullchain.pem:key=/etc/letsencrypt/live/example.com/privkey.pem
host example.com
certificate example.com
live=/etc/letsencrypt/live/example.com
mkdir -p $live
cp example.com.pem $live/fullchain.pem
cp example.com.key $live/privkey.pem
listen
ask OPENSSL:example.com:443,cafile=ca.pem

### -e tls:{tcp:8883}:cert=server.pem:verify-client=required:ca=clients.pem
certificate server
certificate client
cat server.key >>server.pem
cp ca.pem clients.pem
listen
ask OPENSSL:127.0.0.1:8883,verify=0,cert=client.pem,key=client.key
same "$(printf ping | socat - OPENSSL:127.0.0.1:8883,verify=0 2>>log || :)" ''

### -d tls:{tcp:example.com:443}
host example.com
trusted
tls_at $site 443 example.com EXEC:cat
through

### -d tls:{tcp:192.0.2.7:6697}:name=irc.example.com:ca=ca.pem
tls_at 192.0.2.7 6697 irc.example.com EXEC:cat
through
