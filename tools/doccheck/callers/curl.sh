# A client of Audian's API in shell. Only BASE_URL differs.
add() {
	curl --silent --show-error --fail -X POST "$BASE_URL/conferences/conf_curl/participants" \
		-H 'X-Auth-Token: my-api-key' -H 'Content-Type: application/json' -d "$1"
}

added=$(add '{"phone_number": "+12025550140", "name": "Grace", "role": "presenter"}')
add '{"phone_number": "+12025550141", "name": "Guest", "role": "listener", "muted": true}' | grep -q '"muted":true'
id=$(sed 's/.*"id":"\([^"]*\)".*/\1/' <<<"$added")

list=$(curl --silent --fail "$BASE_URL/conferences/conf_curl/participants" -H 'X-Auth-Token: my-api-key')
grep -q "\"$id\"" <<<"$list"
grep -q '"total":2' <<<"$list"

control() {
	curl --silent --show-error --fail -X POST "$BASE_URL/conferences/conf_curl/$1" \
		-H 'X-Auth-Token: my-api-key' -H 'Content-Type: application/json' -d '{}'
}
control "participants/$id/mute" | grep -q '"muted":true'
control "participants/$id/unmute" | grep -q '"muted":false'
control mute-all
control "participants/$id/disconnect" | grep -q '"status":"disconnected"'

code=$(curl --silent --output /dev/null --write-out '%{http_code}' -X DELETE \
	"$BASE_URL/conferences/conf_curl/participants/$id" -H 'X-Auth-Token: my-api-key')
[ "$code" = 204 ]
