### -e unix:/run/app.sock:mode=660
listen
same "$(stat -c %a /run/app.sock)" 660
ask UNIX-CONNECT:/run/app.sock

### -e unix:@app
listen
ask ABSTRACT-CONNECT:app

### -d unix:/var/run/docker.sock
socat -t20 UNIX-LISTEN:/run/docker.sock,fork EXEC:cat 2>>log &
wait_for test -S /run/docker.sock
through

### -d unix:///run/app.sock
socat -t20 UNIX-LISTEN:/run/app.sock,fork EXEC:cat 2>>log &
wait_for test -S /run/app.sock
through
