// Runs in a kernel before jsii's own program. It follows the orders that come
// between jsii's requests: to load modules ahead, and to take over the folder and
// the environment of a synth.
'use strict';
const { isMainThread } = require('worker_threads');

if (isMainThread) {
  const fs = require('fs');
  const v8 = require('v8');
  const channel = 3; // where jsii's program reads and writes
  const real = process.env;
  const atStart = { ...real };
  const used = new Map(); // what was read while loading, and what it was
  let all = false; // everything was

  const note = (name) => {
    if (typeof name === 'string' && !used.has(name)) used.set(name, real[name]);
  };
  process.env = new Proxy(real, {
    get(target, name) { note(name); return target[name]; },
    has(target, name) { note(name); return name in target; },
    getOwnPropertyDescriptor(target, name) { note(name); return Object.getOwnPropertyDescriptor(target, name); },
    ownKeys(target) { all = true; return Reflect.ownKeys(target); },
    set(target, name, value) { target[name] = value; return true; },
    defineProperty(target, name, how) { return Reflect.defineProperty(target, name, how); },
    deleteProperty(target, name) { return delete target[name]; },
  });
  // --require is for this file, and no business of a process that is started later.
  const at = process.execArgv.indexOf('--require');
  if (at >= 0) process.execArgv.splice(at, 2);

  // Node.js, V8, ICU and the loader read these by themselves.
  const early = /^(NODE_|LD_|DYLD_|UV_|ICU_|SSL_|OPENSSL_|MALLOC_|LC_|LANG$|LANGUAGE$|TZ$|TMPDIR$|TMP$|TEMP$|HOME$)/;

  // The name of a variable that has had its effect already, or undefined.
  const differs = (env) => {
    for (const name of new Set([...Object.keys(env), ...Object.keys(atStart), ...used.keys()])) {
      const then = used.has(name) ? used.get(name) : atStart[name];
      if ((all || used.has(name) || early.test(name)) && env[name] !== then) return name;
    }
    return undefined;
  };

  const say = (message) => fs.writeSync(channel, JSON.stringify(message) + '\n');

  const take = (order) => {
    const name = differs(order.env);
    if (name !== undefined) return say({ refused: `the variable ${name} differs` });
    try {
      process.chdir(order.cwd);
      process.umask(order.umask);
      for (const name of Object.keys(real)) delete real[name];
      Object.assign(real, order.env);
      process.env = real;
    } catch (error) {
      return say({ refused: String(error.message) });
    }
    fs.readSync = readSync;
    process.on('exit', () => remember(order.modules));
    leaveEarly();
    say({ taken: true });
  };

  // The synth need not wait until the system has taken back the memory.
  const leaveEarly = () => {
    const exit = process.reallyExit;
    process.reallyExit = (code) => {
      for (const fd of [channel, 1, 2]) {
        try {
          fs.closeSync(fd);
        } catch {
          // closed already
        }
      }
      exit.call(process, code);
    };
  };

  // Modules are named relative to the folder that jsii installs packages in.
  const installed = /^(.*?[\\/]jsii-kernel-[^\\/]*[\\/])(node_modules[\\/].*)$/;

  // What this synth has loaded is what the next one is likely to load.
  const remember = (file) => {
    try {
      const names = Object.keys(require.cache).map((name) => installed.exec(name)?.[2]).filter(Boolean);
      fs.writeFileSync(`${file}.${process.pid}`, JSON.stringify(names), { mode: 0o600 });
      fs.renameSync(`${file}.${process.pid}`, file);
    } catch {
      // the next one is slower
    }
  };

  const warm = (order) => {
    const root = Object.keys(require.cache).map((name) => installed.exec(name)?.[1]).find(Boolean);
    // Functions are compiled now, and not when the synth first calls them.
    v8.setFlagsFromString('--no-lazy');
    v8.setFlagsFromString('--no-flush-bytecode');
    for (const name of root ? order.warm : []) {
      try {
        require(root + name);
      } catch {
        // whoever needs it is told
      }
    }
    v8.setFlagsFromString('--lazy');
    rehearse();
    say({ warmed: true });
  };

  // The check of a manifest takes long until V8 has compiled what is often called.
  // It depends on its arguments alone, and keeps nothing.
  const rehearse = () => {
    const name = Object.keys(require.cache).find((name) => /cloud-assembly-schema[\\/]lib[\\/]manifest\.js$/.test(name));
    if (!name) return;
    const file = `rehearsal-${process.pid}.json`;
    try {
      const { Manifest } = require(name);
      const entry = [{ type: 'aws:cdk:logicalId', data: 'A' }, { type: 'aws:cdk:warning', data: 'a' }];
      const artifacts = {
        Tree: { type: 'cdk:tree', properties: { file: 'tree.json' } },
        Assets: { type: 'cdk:asset-manifest', properties: { file: 'a.json', requiresBootstrapStackVersion: 6 } },
        Stack: {
          type: 'aws:cloudformation:stack', environment: 'aws://unknown-account/unknown-region', displayName: 'Stack',
          properties: { templateFile: 'a.json', terminationProtection: false, validateOnSynth: false, assumeRoleArn: 'a', additionalDependencies: ['Assets'] },
          dependencies: ['Assets'],
          metadata: Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`/Stack/${i}`, entry])),
        },
      };
      fs.writeFileSync(file, JSON.stringify({ version: Manifest.version(), artifacts }));
      for (let i = 0; i < 10; i++) Manifest.loadAssemblyManifest(file);
    } catch {
      // the synth is slower
    } finally {
      fs.rmSync(file, { force: true });
    }
  };

  // An order begins with a NUL, which no request does. Nothing else is sent until
  // it is answered, so it is alone in what is read.
  const readSync = fs.readSync;
  fs.readSync = (fd, buffer, ...rest) => {
    const n = readSync(fd, buffer, ...rest);
    if (fd !== channel || n === 0 || buffer[0] !== 0) return n;
    let parts = [Buffer.from(buffer.subarray(1, n))];
    const more = Buffer.alloc(65536);
    while (!parts[parts.length - 1].includes(10)) {
      const n = readSync(channel, more, 0, more.length, null);
      if (n === 0) return 0;
      parts.push(Buffer.from(more.subarray(0, n)));
    }
    const order = JSON.parse(Buffer.concat(parts).toString('utf8'));
    if (order.warm) warm(order);
    else take(order);
    return fs.readSync(fd, buffer, ...rest);
  };
}
