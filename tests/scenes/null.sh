### -d null
through ping ''

### -e null
same "$(endpointforward -e "$example" -d 'process:sh:-c:{echo ignored; touch /tmp/done}' 2>>log)" ''
test -e done
