// The runtime interface client for Node.js talks to the Runtime API by a native
// module, which is compiled when it is installed. This gives the client the
// same three calls in JavaScript, so that no compiler is needed.
const Module = require("module");
const http = require("http");

const resolve = Module._resolveFilename;
Module._resolveFilename = function (request, ...rest) {
  return request.endsWith("rapid-client.node") ? __filename : resolve.call(this, request, ...rest);
};

const [host, port] = (process.env.AWS_LAMBDA_RUNTIME_API || ":").split(":");
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
let posted = Promise.resolve();

function call(method, path, headers, body) {
  return new Promise((done, fail) => {
    const request = http.request({ host, port, agent, method, headers, path: "/2018-06-01/runtime/invocation/" + path }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk) => (text += chunk));
      response.on("end", () => done({ bodyJson: text, headers: response.headers }));
    });
    request.on("error", fail);
    request.end(body);
  });
}

function post(path, body, headers) {
  posted = call("POST", path, { "content-type": "application/json", "content-length": Buffer.byteLength(body), ...headers }, body);
}

// next waits for the answer before it, as the native client's blocking calls
// make sure of.
exports.initializeClient = () => {};
exports.next = () => posted.then(() => call("GET", "next", {}));
exports.done = (id, body) => post(id + "/response", body);
exports.error = (id, body, xray) => post(id + "/error", body, { "lambda-runtime-function-xray-error-cause": xray });
