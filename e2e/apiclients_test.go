//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	ws "github.com/coder/websocket"

	"github.com/bailey-cdk/bailey/internal/e2e"
)

// TestAPIByCurl: requests as a user types them.
func TestAPIByCurl(t *testing.T) {
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Skip("SKIP: curl is not installed: ", err)
	}
	g := apisGateway(t)
	file := filepath.Join(t.TempDir(), "large.bin")
	if err := os.WriteFile(file, []byte(strings.Repeat("0123456789abcdef", 128<<10)), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		arguments []string
		want      string // of the head and the body together
	}{
		"get":           {[]string{g.urls["Http"] + "/items/5?q=1"}, `HTTP/1.1 200 OK.*"rawQueryString":"q=1"`},
		"json":          {[]string{"--json", `{"a": 1}`, g.urls["Http"] + "/items"}, `HTTP/1.1 200 OK.*"body":"\{\\"a\\": 1\}"`},
		"form":          {[]string{"--data-urlencode", "a=b c", g.urls["Rest"] + "/items"}, `"body":"a=b%20c"|"body":"a=b\+c"`},
		"head":          {[]string{"--head", g.urls["Http"] + "/any"}, `^HTTP/1.1 200 OK`},
		"http 1.0":      {[]string{"--http1.0", g.urls["Http"] + "/any"}, `^HTTP/1.[01] 200 OK`},
		"expect":        {[]string{"-H", "Expect: 100-continue", "--data-binary", "@" + file, g.urls["Rest"] + "/items"}, `HTTP/1.1 100 Continue.*HTTP/1.1 200 OK`},
		"chunked":       {[]string{"-H", "Transfer-Encoding: chunked", "--data-binary", "@" + file, g.urls["Http"] + "/items"}, `HTTP/1.1 200 OK`},
		"compressed":    {[]string{"--compressed", g.urls["Rest"] + "/items/5"}, `HTTP/1.1 200 OK.*"resource":"/items/\{id\}"`},
		"as it is":      {[]string{"--path-as-is", g.urls["Http"] + "/files/a/../b"}, `HTTP/1.1 200 OK`},
		"cookies":       {[]string{"-H", "X-Answer: " + answering(`{"statusCode":200,"cookies":["a=1","b=2"]}`), g.urls["Http"] + "/any"}, `Set-Cookie: a=1\r\nSet-Cookie: b=2`},
		"upgrade to h2": {[]string{"--http2", g.urls["Http"] + "/any"}, `HTTP/1.1 200 OK`},
	} {
		t.Run(name, func(t *testing.T) {
			o := execute(t, ".", "", curl, append([]string{"--silent", "--show-error", "--include", "--max-time", "30"}, test.arguments...)...)
			if o.status != 0 || !regexp.MustCompile("(?s)"+test.want).MatchString(o.stdout) {
				t.Errorf("curl exited with %d, and printed no %s: %.1000s%s", o.status, test.want, o.stdout, o.stderr)
			}
		})
	}
}

// page calls the HTTP API Shop and the WebSocket API as a web application does,
// and sends home what it saw.
const page = `<!doctype html><title>shop</title><script type="module">
const api = %q, chat = %q, seen = {};
const attempt = async (name, f) => { try { seen[name] = await f(); } catch (e) { seen[name] = 'refused'; } };
await attempt('plain', async () => (await fetch(api + '/orders')).status);
await attempt('preflighted', async () => {
  const r = await fetch(api + '/orders', {method: 'POST', headers: {'Content-Type': 'application/json', 'X-Custom': 'v'}, body: '{"a":1}', credentials: 'include'});
  const event = await r.json();
  return [r.status, event.body, event.headers['x-custom'], event.headers.origin].join(' ');
});
await attempt('exposed', async () => (await fetch(api + '/orders', {headers: {'Content-Type': 'text/plain'}})).headers.get('x-hidden'));
await attempt('other header', async () => (await fetch(api + '/orders', {headers: {'X-Other': 'v'}})).status);
await attempt('other method', async () => (await fetch(api + '/orders', {method: 'DELETE'})).status);
await attempt('socket', () => new Promise((resolve, reject) => {
  const socket = new WebSocket(chat + '?token=allow', 'chat');
  socket.onopen = () => socket.send('{"action":"ask"}');
  socket.onmessage = (m) => { resolve(JSON.parse(m.data).requestContext.routeKey + ' ' + socket.protocol); socket.close(); };
  socket.onerror = reject;
}));
await fetch('/seen', {method: 'POST', body: JSON.stringify(seen)});
</script>`

// TestAPIByBrowser has Chromium load a page from an origin that the API allows,
// from one that it does not, and from this machine, and looks at what each
// could do.
func TestAPIByBrowser(t *testing.T) {
	chromium := e2e.Browser(t)
	g := apisGateway(t)
	seen := make(chan map[string]any, 10)
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/seen" {
			var what map[string]any
			if err := json.NewDecoder(r.Body).Decode(&what); err != nil {
				t.Error(err)
			}
			seen <- what
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = fmt.Fprintf(w, page, g.urls["Shop"], g.urls["Chat"])
	}))
	defer site.Close()
	host := strings.TrimPrefix(site.URL, "http://")
	for origin, want := range map[string]map[string]any{
		"http://shop.example": {
			"plain": 200.0, "preflighted": `200 {"a":1} v http://shop.example`, "exposed": nil,
			"other header": "refused", "other method": "refused", "socket": "refused", // a page from elsewhere needs --allow-origin
		},
		"http://other.example": {
			"plain": "refused", "preflighted": "refused", "exposed": "refused",
			"other header": "refused", "other method": "refused", "socket": "refused",
		},
		site.URL: {
			"plain": "refused", "preflighted": "refused", "exposed": "refused",
			"other header": "refused", "other method": "refused", "socket": "ask chat",
		},
	} {
		t.Run(origin, func(t *testing.T) {
			stop := browse(t, chromium, origin+"/", "MAP shop.example:80 "+host+", MAP other.example:80 "+host)
			defer stop()
			select {
			case got := <-seen:
				for name, value := range want {
					if got[name] != value {
						t.Errorf("%s: the page saw %v, want %v", name, got[name], value)
					}
				}
			case <-time.After(2 * time.Minute):
				t.Error("the page sent nothing")
			}
		})
	}
}

// browse opens a page in a browser of its own.
func browse(t *testing.T, chromium, address, names string) (stop func()) {
	t.Helper()
	var stderr strings.Builder
	command := exec.Command(chromium, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
		"--no-proxy-server", "--user-data-dir="+t.TempDir(), "--host-resolver-rules="+names, address)
	command.Stderr = &stderr
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // its processes end together
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	return func() {
		_ = syscall.Kill(-command.Process.Pid, syscall.SIGKILL)
		_ = command.Wait() // killed
		if t.Failed() {
			t.Log(stderr.String())
		}
	}
}

// inNode runs a script with the client libraries.
func inNode(t *testing.T, script string, arguments ...string) string {
	t.Helper()
	dir := e2e.Clients(t)
	file := filepath.Join(dir, strings.ReplaceAll(t.Name(), "/", "-")+".cjs")
	if err := os.WriteFile(file, []byte(script), 0o644); err != nil {
		t.Fatal(err)
	}
	return succeed(t, dir, "node", append([]string{"--experimental-websocket", "--no-warnings", file}, arguments...)...)
}

// socketScript talks over a WebSocket by either of two libraries, ws and the
// WebSocket of Node.js itself.
const socketScript = `
const assert = require('node:assert/strict');
const [address, library] = process.argv.slice(2);
const WebSocket = library === 'ws' ? require('ws') : globalThis.WebSocket;
const next = (socket, type) => new Promise((resolve, reject) => {
  socket.addEventListener(type, resolve, {once: true});
  if (type !== 'error') socket.addEventListener('error', (e) => reject(e.error ?? new Error(e.message || 'refused')), {once: true});
});
(async () => {
  const socket = new WebSocket(address + '?token=allow&protocol=two', ['one', 'two']);
  await next(socket, 'open');
  assert.equal(socket.protocol, 'two');
  const answers = [];
  for (const text of ['first', 'grüße 🚀', 'x'.repeat(20000)]) {
    socket.send(JSON.stringify({action: 'ask', text}));
    const event = JSON.parse((await next(socket, 'message')).data);
    assert.equal(JSON.parse(event.body).text, text);
    answers.push(event.requestContext.messageId);
  }
  assert.equal(new Set(answers).size, 3);
  socket.send(JSON.stringify({action: 'say', do: 'push', text: 'pushed'}));
  assert.equal((await next(socket, 'message')).data, 'pushed');
  if (library === 'ws') {
    socket.ping('are you there');
    assert.equal(String(await new Promise((resolve) => socket.once('pong', resolve))), 'are you there');
  }
  socket.send('no JSON');
  assert.equal(JSON.parse((await next(socket, 'message')).data).message, 'Forbidden');
  socket.close(4000, 'done');
  assert.equal((await next(socket, 'close')).code, 4000);
  const refused = new WebSocket(address + '?token=deny');
  await next(refused, 'error');
  console.log('ok');
})().catch((e) => { console.error(e); process.exit(1); });
`

// TestSocketByLibraries: clients that others wrote.
func TestSocketByLibraries(t *testing.T) {
	g := apisGateway(t)
	for _, library := range []string{"ws", "node"} {
		t.Run(library, func(t *testing.T) {
			if out := inNode(t, socketScript, g.urls["Chat"], library); out != "ok\n" {
				t.Error(out)
			}
		})
	}
}

// openAPIScript calls the HTTP API Shop by its description.
const openAPIScript = `
const assert = require('node:assert/strict');
const OpenAPIClientAxios = require('openapi-client-axios').default;
const definition = {
  openapi: '3.1.0', info: {title: 'Shop', version: '1'}, servers: [{url: process.argv[2]}],
  paths: {
    '/orders': {
      get: {operationId: 'listOrders', parameters: [{name: 'after', in: 'query', schema: {type: 'string'}}], responses: {200: {description: 'all'}}},
      post: {operationId: 'placeOrder', requestBody: {content: {'application/json': {schema: {type: 'object'}}}}, responses: {200: {description: 'placed'}}},
    },
    '/orders/{id}': {get: {operationId: 'getOrder', parameters: [{name: 'id', in: 'path', required: true, schema: {type: 'string'}}], responses: {200: {description: 'one'}}}},
  },
};
(async () => {
  const client = await new OpenAPIClientAxios({definition}).init();
  const one = (await client.getOrder({id: 'a b'})).data;
  assert.deepEqual([one.routeKey, one.pathParameters], ['GET /orders/{id}', {id: 'a b'}]);
  const all = (await client.listOrders({after: 'x&y'})).data;
  assert.deepEqual([all.routeKey, all.queryStringParameters], ['GET /orders', {after: 'x&y'}]);
  const placed = (await client.placeOrder(null, {total: 5})).data;
  assert.deepEqual([placed.routeKey, JSON.parse(placed.body)], ['POST /orders', {total: 5}]);
  console.log('ok');
})().catch((e) => { console.error(e.message, e.response?.data); process.exit(1); });
`

// TestAPIByOpenAPI: a client that is made of an OpenAPI description.
func TestAPIByOpenAPI(t *testing.T) {
	if out := inNode(t, openAPIScript, apisGateway(t).urls["Shop"]); out != "ok\n" {
		t.Error(out)
	}
}

// connectionsByBoto3 reaches a connection by the AWS SDK for Python: with an
// endpoint that it is given, and by the variable.
const connectionsByBoto3 = `
import os, sys, time
import boto3
endpoint, connection = sys.argv[1:]
keys = dict(region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="y")
client = boto3.client("apigatewaymanagementapi", endpoint_url=endpoint, **keys)
client.post_to_connection(ConnectionId=connection, Data=b"given")
os.environ["AWS_CA_BUNDLE"] = "authorities.pem"
secure = boto3.client("apigatewaymanagementapi", endpoint_url=endpoint.replace("http://", "https://"), **keys)
secure.post_to_connection(ConnectionId=connection, Data=b"secure")
os.environ["AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI"] = endpoint
boto3.client("apigatewaymanagementapi", **keys).post_to_connection(ConnectionId=connection, Data="found: ü".encode())
about = client.get_connection(ConnectionId=connection)
assert about["Identity"]["SourceIp"] == "127.0.0.1" and about["ConnectedAt"] <= about["LastActiveAt"], about
client.delete_connection(ConnectionId=connection)
for _ in range(100):
    try:
        client.post_to_connection(ConnectionId=connection, Data=b"late")
        time.sleep(0.05)
    except client.exceptions.GoneException:
        break
else:
    raise AssertionError("it is not gone")
try:
    client.post_to_connection(ConnectionId=connection, Data=b"x" * (128 * 1024 + 1))
    raise AssertionError("it was sent")
except client.exceptions.PayloadTooLargeException:
    print("ok")
`

// TestConnectionsBySDK: the management API by AWS's own SDK.
func TestConnectionsBySDK(t *testing.T) {
	g := apisGateway(t)
	c := &chat{t, g.urls["Chat"], t.Context()}
	conn := c.connected()
	defer conn.CloseNow()
	event, complaint := c.eventOf(conn, askEvent)
	if complaint != "" {
		t.Fatal(complaint)
	}
	var came []string
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			_, message, err := conn.Read(context.Background())
			if err != nil {
				if ws.CloseStatus(err) != ws.StatusNormalClosure {
					t.Errorf("it ended with %v", err)
				}
				return
			}
			came = append(came, string(message))
		}
	}()
	context, _ := at(event, "requestContext").(map[string]any)
	endpoint := fmt.Sprintf("http://%s/%s", context["domainName"], context["stage"])
	certificates := filepath.Join(apis(t), ".bailey", "run", fmt.Sprint("certificate-", apisGateway(t).process.Process.Pid))
	if out := succeed(t, certificates, e2e.Python(t), "-c", connectionsByBoto3, endpoint, context["connectionId"].(string)); out != "ok\n" {
		t.Error(out)
	}
	<-done
	if strings.Join(came, "|") != "given|secure|found: ü" {
		t.Errorf("the client got %q", came)
	}
}
