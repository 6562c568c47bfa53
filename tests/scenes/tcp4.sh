### -e tcp4:9000:127.0.0.1
listen
ask TCP4:127.0.0.1:9000

### -d tcp4:localhost:9000
echo '::1 localhost' >>/etc/hosts
says_at 127.0.0.1 9000 four
through '' four
