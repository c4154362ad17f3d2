// The Node.js runtime of the embedded engine: it loads a handler as Lambda's
// managed runtime does, and carries events and answers between the handler and
// the Runtime API. Parts, in order: the Runtime API, logging, errors, loading
// the handler, the context, one invocation, streaming, the main loop.

import fs from 'node:fs';
import http from 'node:http';
import Module, { createRequire } from 'node:module';
import path from 'node:path';
import { Writable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import util from 'node:util';

const env = process.env;
const taskRoot = fs.realpathSync(env.LAMBDA_TASK_ROOT);
// The runtime that the function asked for, which need not be the Node.js at hand.
const runtimeMajor = Number(/nodejs(\d+)/.exec(env.AWS_EXECUTION_ENV ?? '')?.[1] ?? 0);
// From Node.js 24 on, Lambda takes no handlers with a callback.
const callbacksAllowed = runtimeMajor < 24;

// ---- the Runtime API -------------------------------------------------------

const [apiHost, apiToken] = env.AWS_LAMBDA_RUNTIME_API.split('/');
const [apiHostname, apiPort] = apiHost.split(':');
const agent = new http.Agent({ keepAlive: true });

function open(method, call, headers) {
  return http.request({
    agent, method, headers,
    hostname: apiHostname, port: apiPort,
    path: `/${apiToken}/2018-06-01/runtime/${call}`,
  });
}

function finish(request, body) {
  return new Promise((resolve, reject) => {
    request.on('error', reject);
    request.on('response', (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => resolve({
        status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks).toString('utf8'),
      }));
    });
    request.end(body);
  });
}

async function nextEvent() {
  const answer = await finish(open('GET', 'invocation/next', {
    'User-Agent': `bailey-nodejs/${process.versions.node}`,
  }));
  if (answer.status !== 200) {
    throw new Error(`the Runtime API gave no event: ${answer.status} ${answer.body}`);
  }
  return answer;
}

async function post(call, text, headers = {}) {
  const body = Buffer.from(text, 'utf8');
  const answer = await finish(open('POST', call, {
    'Content-Type': 'application/json', 'Content-Length': body.length, ...headers,
  }), body);
  if (answer.status !== 202) {
    throw new Error(`the Runtime API refused ${call}: ${answer.status} ${answer.body}`);
  }
}

// ---- logging ---------------------------------------------------------------

const logsAsJSON = env.AWS_LAMBDA_LOG_FORMAT?.toUpperCase() === 'JSON';
let requestId; // undefined during the init phase, and Lambda prints it so

function writeOut(text) {
  let rest = Buffer.from(text, 'utf8');
  while (rest.length > 0) {
    try {
      rest = rest.subarray(fs.writeSync(1, rest));
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error;
      // The pipe is full, and process.stdout has made it non-blocking.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

const describeError = (error) => ({
  errorType: error?.constructor?.name ?? 'UnknownError',
  errorMessage: error.message,
  stackTrace: typeof error.stack === 'string' ? error.stack.split('\n') : [],
});

function jsonLine(level, values) {
  const line = { timestamp: new Date().toISOString(), level, requestId };
  const spelled = (_key, value) => (value instanceof Error ? { ...describeError(value), ...value } : value);
  if (values.length === 1) {
    try {
      return JSON.stringify({ ...line, message: values[0] }, spelled);
    } catch {
      return JSON.stringify({ ...line, message: util.format(values[0]) });
    }
  }
  const error = values.find((value) => value instanceof Error);
  return JSON.stringify({ ...line, message: util.format(...values), ...(error && describeError(error)) });
}

function log(level, values) {
  const line = logsAsJSON
    ? jsonLine(level, values)
    : `${new Date().toISOString()}\t${requestId}\t${level}\t${util.format(...values)}`;
  writeOut(line + '\n');
}

function patchConsole() {
  const levels = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];
  const lowest = levels.indexOf(env.AWS_LAMBDA_LOG_LEVEL?.toUpperCase());
  for (const [rank, level] of levels.entries()) {
    const silent = rank < lowest && level !== 'FATAL';
    console[level.toLowerCase()] = silent ? () => {} : (...values) => log(level, values);
  }
  console.log = console.info;
}

// logFailure logs an error that the runtime has to deal with.
function logFailure(what, error) {
  const asError = error instanceof Error ? error : new Error(error);
  if (logsAsJSON) {
    console.error(asError);
    return;
  }
  const spelled = (_key, value) => (value instanceof Error ? {
    errorType: value.name, errorMessage: value.message, code: value.code, ...value,
    stack: typeof value.stack === 'string' ? value.stack.split('\n') : undefined,
  } : value);
  let text;
  try {
    text = JSON.stringify(asError, spelled);
  } catch {
    text = JSON.stringify(errorBody(asError));
  }
  console.error(what, '\t' + text);
}

// ---- errors ----------------------------------------------------------------

// RuntimeError is an error that Lambda's runtime names itself.
class RuntimeError extends Error {
  constructor(name, message) {
    super(message);
    this.name = `Runtime.${name}`;
  }
}

const isErrorLike = (e) => util.types.isNativeError(e)
  || (e && [e.name, e.message, e.stack].every((part) => part && typeof part === 'string'));

// errorBody is the JSON that the caller of the function gets.
function errorBody(error) {
  try {
    if (isErrorLike(error)) {
      return { errorType: error.name, errorMessage: error.message, trace: error.stack.split('\n') };
    }
    return { errorType: typeof error, errorMessage: error.toString(), trace: [] };
  } catch {
    return {
      errorType: 'handled',
      errorMessage: 'callback called with Error argument, but there was a problem while retrieving one or more of its message, name, and stack',
    };
  }
}

function responseText(value) {
  try {
    return JSON.stringify(value === undefined ? null : value) ?? 'null';
  } catch {
    throw new RuntimeError('JSONStringifyError', 'Unable to stringify response body');
  }
}

// current is the id of the invocation under way; dying is set once the process
// has a fatal error to report, of which there can be only one.
let current;
let starting = true;
let dying = false;

async function die(what, error, status) {
  if (dying) return;
  dying = true;
  logFailure(what, error);
  const body = errorBody(error);
  try {
    if (starting) {
      await post('init/error', responseText(body), { 'Lambda-Runtime-Function-Error-Type': body.errorType });
    } else if (current) {
      await post(`invocation/${current}/error`, responseText(body));
    }
  } finally {
    process.exit(status);
  }
}

function watchForFatalErrors() {
  process.on('uncaughtException', (error) => die('Uncaught Exception', error, 129));
  process.on('unhandledRejection', (reason) => {
    const error = new RuntimeError('UnhandledPromiseRejection', reason);
    error.reason = reason;
    die('Unhandled Promise Rejection', error, 128);
  });
}

// ---- loading the handler ---------------------------------------------------

const within = (file, folder) => file === folder || file.startsWith(folder + path.sep);

// moduleType tells what the package.json nearest to a folder says of its .js
// files: "module", "commonjs", or undefined where there is none up to `last`.
function moduleType(folder, last) {
  for (;;) {
    if (path.basename(folder) === 'node_modules') return undefined;
    const file = path.join(folder, 'package.json');
    if (fs.existsSync(file)) {
      try {
        return JSON.parse(fs.readFileSync(file, 'utf8'))?.type === 'module' ? 'module' : 'commonjs';
      } catch (error) {
        console.warn(`${file} cannot be read, it will be ignored for ES module detection purposes.`, error);
        return 'commonjs';
      }
    }
    if (folder === last || folder === path.dirname(folder)) return undefined;
    folder = path.dirname(folder);
  }
}

// shieldFromProject keeps the package.json of the project, somewhere above the
// code, from making ES modules of .js files that are CommonJS on Lambda, where
// nothing is above the code.
function shieldFromProject() {
  if (moduleType(path.dirname(taskRoot)) !== 'module') return;
  const load = Module._extensions['.js'];
  Module._extensions['.js'] = (module, file) => {
    if (!within(file, taskRoot) || moduleType(path.dirname(file), taskRoot) !== undefined) {
      return load(module, file);
    }
    const text = fs.readFileSync(file, 'utf8');
    return module._compile(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text, file, 'commonjs');
  };
}

async function loadModule(folder, name) {
  const require = createRequire(path.join(taskRoot, 'index.js'));
  const base = path.resolve(taskRoot, folder, name);
  const typed = moduleType(path.dirname(base), within(base, taskRoot) ? taskRoot : undefined);
  const isModule = typed === 'module' && fs.existsSync(base + '.js');
  const candidates = [
    ['', require],
    ['.js', isModule ? importFile : require],
    ['.mjs', importFile],
    ['.cjs', require],
  ];
  for (const [extension, load] of candidates) {
    const file = base + extension;
    if (fs.existsSync(file) && (extension !== '' || fs.statSync(file).isFile())) return load(file);
  }
  return require(require.resolve(name, { paths: [taskRoot, folder] }));
}

const importFile = (file) => import(pathToFileURL(file).href);

const streaming = Symbol.for('aws.lambda.runtime.handler.streaming');

function provideGlobals() {
  if (['1', 'true'].includes(env.AWS_LAMBDA_NODEJS_NO_GLOBAL_AWSLAMBDA)) return;
  globalThis.awslambda = {
    streamifyResponse: (handler) => {
      handler[streaming] = 'response';
      return handler;
    },
    HttpResponseStream: { from: withPrelude },
  };
}

// loadHandler resolves "folder/module.name", where name may be nested.
async function loadHandler(handler) {
  if (handler.includes('..')) {
    throw new RuntimeError('MalformedHandlerName',
      `'${handler}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.`);
  }
  const last = path.basename(handler);
  const dot = last.indexOf('.');
  if (dot < 0) throw new RuntimeError('MalformedHandlerName', 'Bad handler');
  let loaded;
  try {
    loaded = await loadModule(handler.slice(0, handler.lastIndexOf(last)), last.slice(0, dot));
  } catch (error) {
    if (error instanceof SyntaxError) throw new RuntimeError('UserCodeSyntaxError', error);
    if (error?.code === 'MODULE_NOT_FOUND') throw new RuntimeError('ImportModuleError', error);
    throw error;
  }
  const found = last.slice(dot + 1).split('.').reduce((object, key) => object?.[key], loaded);
  if (!found) throw new RuntimeError('HandlerNotFound', `${handler} is undefined or not exported`);
  if (typeof found !== 'function') throw new RuntimeError('HandlerNotFound', `${handler} is not a function`);
  checkSignature(found);
  return found;
}

function checkSignature(handler) {
  const mode = handler[streaming];
  if (mode && mode !== 'response') {
    throw new RuntimeError('MalformedStreamingHandler', 'Only response streaming is supported.');
  }
  if (!callbacksAllowed && !mode && handler.length >= 3) {
    throw new RuntimeError('CallbackHandlerDeprecated',
      'ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. '
      + 'You need to modify this function to use a supported handler signature to use Node.js 24 or later. '
      + 'For more information see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.');
  }
}

// ---- the context -----------------------------------------------------------

function parseHeader(text, name) {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`Cannot parse ${name} as json: ${error}`);
  }
}

function contextOf(headers) {
  const deadline = Number(headers['lambda-runtime-deadline-ms']);
  return {
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
    functionName: env.AWS_LAMBDA_FUNCTION_NAME,
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: parseHeader(headers['lambda-runtime-client-context'], 'ClientContext'),
    identity: parseHeader(headers['lambda-runtime-cognito-identity'], 'CognitoIdentity'),
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
    awsRequestId: headers['lambda-runtime-aws-request-id'],
    getRemainingTimeInMillis: () => deadline - Date.now(),
  };
}

// ---- one invocation --------------------------------------------------------

// loopEmpty resolves once Node.js has nothing left to do. It would end then.
let onLoopEmpty;
const loopEmpty = () => new Promise((resolve) => { onLoopEmpty = resolve; });

function watchTheLoop() {
  process.on('beforeExit', () => {
    const resolve = onLoopEmpty;
    onLoopEmpty = undefined;
    if (resolve) setImmediate(resolve);
  });
}

// outcome calls the handler and gives {value} or {error}, by the first of: its
// promise, its callback, the methods of the context, and an empty event loop.
function outcome(handler, event, context) {
  return new Promise((resolve) => {
    const done = (error, value) => resolve(error === undefined || error === null ? { value } : { error });
    const callback = (error, value) => {
      const failed = error !== undefined && error !== null;
      if (failed || !context.callbackWaitsForEmptyEventLoop) done(error, value);
      else loopEmpty().then(() => done(null, value));
    };
    if (callbacksAllowed) {
      Object.assign(context, {
        callbackWaitsForEmptyEventLoop: true,
        done,
        succeed: (value) => done(null, value),
        fail: (error) => done(error ?? 'handled'),
      });
    }
    let waits = handler.constructor?.name === 'AsyncFunction';
    loopEmpty().then(() => resolve(waits ? { error: neverSettled() } : { value: null }));
    try {
      const result = callbacksAllowed ? handler(event, context, callback) : handler(event, context);
      if (typeof result?.then === 'function') {
        waits = waits || !callbacksAllowed;
        result.then((value) => done(null, value), (error) => resolve({ error }));
      } else if (!callbacksAllowed) {
        done(null, result);
      }
    } catch (error) {
      resolve({ error });
    }
  });
}

const neverSettled = () => new RuntimeError('NodeJsExit',
  'The Lambda runtime client detected an unexpected Node.js exit code. This is most commonly caused by a Promise '
  + 'that was never settled. For more information, see https://nodejs.org/docs/latest/api/process.html#exit-codes');

async function answerEvent(handler, body, headers) {
  let result;
  try {
    result = await outcome(handler, JSON.parse(body), contextOf(headers));
  } catch (error) {
    result = { error };
  }
  onLoopEmpty = undefined;
  if (dying) return never();
  if (!('error' in result)) {
    try {
      return await post(`invocation/${current}/response`, responseText(result.value));
    } catch (error) {
      if (error.name !== 'Runtime.JSONStringifyError') throw error;
      result = { error };
    }
  }
  logFailure('Invoke Error', result.error);
  return post(`invocation/${current}/error`, responseText(errorBody(result.error)));
}

const never = () => new Promise(() => {});

// ---- streaming -------------------------------------------------------------

// ResponseStream sends what a handler writes as it is written.
class ResponseStream extends Writable {
  #id;
  #request;
  #contentType = 'application/octet-stream';
  #prelude;
  sent; // resolves when the Runtime API has it all

  constructor(id) {
    super();
    this.#id = id;
  }

  setContentType(type) {
    if (this.#request) throw new RuntimeError('InvalidStreamingOperation', 'Cannot set content-type, too late.');
    this.#contentType = type;
  }

  setPrelude(text) {
    this.#prelude = text;
  }

  write(chunk, ...rest) {
    const plain = typeof chunk === 'string' || chunk instanceof Uint8Array;
    return super.write(plain ? chunk : JSON.stringify(chunk), ...rest);
  }

  #begin() {
    if (this.#request) return this.#request;
    const request = open('POST', `invocation/${this.#id}/response`, {
      'Content-Type': this.#contentType,
      'Transfer-Encoding': 'chunked',
      'Lambda-Runtime-Function-Response-Mode': 'streaming',
      Trailer: 'Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body',
    });
    this.#request = request;
    this.sent = new Promise((resolve, reject) => {
      request.on('response', (response) => response.resume().on('end', resolve).on('error', reject));
      request.on('error', reject);
    });
    if (this.#prelude !== undefined) request.write(this.#prelude);
    return request;
  }

  _write(chunk, _encoding, callback) {
    this.#begin().write(chunk, callback);
  }

  _final(callback) {
    this.#begin().end();
    callback();
  }

  // fail ends the response with an error, of which the trailers tell.
  fail(error) {
    const body = errorBody(error);
    const request = this.#begin();
    request.addTrailers({
      'Lambda-Runtime-Function-Error-Type': body.errorType,
      'Lambda-Runtime-Function-Error-Body': Buffer.from(JSON.stringify(body)).toString('base64'),
    });
    request.end();
    return this.sent;
  }
}

// withPrelude puts the status and headers of an HTTP response before its body.
function withPrelude(stream, prelude) {
  stream.setContentType('application/vnd.awslambda.http-integration-response');
  stream.setPrelude(JSON.stringify(prelude) + '\0'.repeat(8));
  return stream;
}

async function streamAnswer(handler, body, headers) {
  const stream = new ResponseStream(current);
  try {
    const ended = new Promise((resolve, reject) => stream.on('finish', resolve).on('error', reject));
    const result = handler(JSON.parse(body), stream, contextOf(headers));
    if (typeof result?.then !== 'function') throw 'Streaming does not support non-async handlers.';
    const idle = loopEmpty().then(() => { throw 'Response stream is not finished.'; });
    await Promise.race([Promise.all([result, ended]), idle]);
    await stream.sent;
  } catch (error) {
    if (dying) return never();
    logFailure('Invoke Error', error);
    await stream.fail(error);
  } finally {
    onLoopEmpty = undefined;
  }
}

// ---- the main loop ---------------------------------------------------------

async function main() {
  patchConsole();
  watchForFatalErrors();
  watchTheLoop();
  provideGlobals();
  shieldFromProject();
  let handler;
  try {
    handler = await loadHandler(env._HANDLER);
  } catch (error) {
    return die('Init Error', error, 1);
  }
  const answer = handler[streaming] ? streamAnswer : answerEvent;
  for (;;) {
    const event = await nextEvent();
    starting = false;
    current = requestId = event.headers['lambda-runtime-aws-request-id'];
    env._X_AMZN_TRACE_ID = event.headers['lambda-runtime-trace-id'] ?? '';
    await answer(handler, event.body, event.headers);
    current = undefined;
  }
}

main().catch((error) => {
  writeOut(`bailey's Node.js runtime: ${error?.stack ?? error}\n`);
  process.exit(1);
});
