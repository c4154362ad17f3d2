// Synthesises the app in each folder here into its cdk.out, or below the folder
// given as first argument; further arguments name the only apps to take.
//
// app.js and app.ts are run by node, app.py by the Python of $BAILEY_PYTHON, and
// the apps named go-* are in the program $BAILEY_GO_APPS. All run without the cdk
// command, but as it runs them, unless the app's synth.json says otherwise:
//
//   cli        the package whose cdk command synthesises: "aws-cdk"
//   arguments  of that command
//   context    of the app
//   metadata   false for templates without the metadata that the cdk command
//              asks for, as an app makes them that is run by itself
//
// What differs from machine to machine is taken out of the assembly: the stack
// traces in its metadata, and the construct tree, which Bailey does not read.
// The absolute path of the app's folder becomes @CASE@.
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const [target, ...only] = process.argv.slice(2);
const metadata = { 'aws:cdk:enable-path-metadata': true, 'aws:cdk:enable-asset-metadata': true };
const noise = new Set(['cdk:tree', 'cdk:feature-flag-report']);

function apps() {
  return fs.readdirSync(__dirname).sort().filter((app) => isApp(app) && (only.length === 0 || only.includes(app)));
}

const isApp = (name) => name.startsWith('go-') || ['app.js', 'app.ts', 'app.py'].some((file) => fs.existsSync(path.join(__dirname, name, file)));

// The command that runs the app in a folder.
function program(dir) {
  const has = (name) => fs.existsSync(path.join(dir, name));
  if (has('app.js')) return [process.execPath, 'app.js'];
  if (has('app.ts')) return [process.execPath, require.resolve('tsx/cli'), 'app.ts'];
  if (has('app.py')) return [needed('BAILEY_PYTHON'), 'app.py'];
  return [needed('BAILEY_GO_APPS'), path.basename(dir)];
}

function needed(name) {
  if (!process.env[name]) throw new Error(`${name} is not set: run make golden, or go run ./internal/e2e/synthapps`);
  return process.env[name];
}

async function synth(app) {
  const dir = path.join(__dirname, app);
  const out = target ? path.resolve(target, app, 'cdk.out') : path.join(dir, 'cdk.out');
  fs.rmSync(out, { recursive: true, force: true });
  const file = path.join(dir, 'synth.json');
  const settings = fs.existsSync(file) ? JSON.parse(fs.readFileSync(file)) : {};
  const env = {
    ...process.env,
    CDK_DISABLE_STACK_TRACE: '1', CDK_VALIDATION: 'false', CDK_DISABLE_CLI_TELEMETRY: 'true',
    JSII_AGENT: 'node.js/v20', JSII_RUNTIME_PACKAGE_CACHE: 'enabled', PYTHONDONTWRITEBYTECODE: '1',
    JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION: process.versions.node.split('.')[0],
  };
  if (settings.cli) {
    const cdk = path.join(__dirname, 'node_modules', settings.cli, 'bin', 'cdk');
    await run(dir, env, [process.execPath, cdk, 'synth', '--quiet', '--no-notices', '--app', program(dir).join(' '), '--output', out, ...(settings.arguments ?? [])]);
  } else {
    const context = { 'aws:cdk:version-reporting': false, ...(settings.metadata === false ? {} : metadata), ...settings.context };
    await run(dir, { ...env, CDK_OUTDIR: out, CDK_CONTEXT_JSON: JSON.stringify(context) }, program(dir));
  }
  clean(out);
  hidePath(out, dir);
}

function run(cwd, env, [command, ...args]) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env });
    let said = '';
    child.stdout.on('data', (text) => { said += text; });
    child.stderr.on('data', (text) => { said += text; });
    child.on('error', reject);
    child.on('close', (status) => (status === 0 ? resolve() : reject(new Error(`${cwd}: synthesis failed\n${said}`))));
  });
}

function clean(dir) {
  for (const entry of fs.readdirSync(dir, { withFileTypes: true })) {
    const file = path.join(dir, entry.name);
    if (entry.isDirectory() && entry.name.startsWith('assembly-')) clean(file);
    if (entry.name === 'tree.json' || entry.name.endsWith('.lock')) fs.rmSync(file);
    if (entry.name.endsWith('.metadata.json')) rewrite(file, withoutTraces);
    if (entry.name === 'manifest.json') rewrite(file, cleanManifest);
  }
}

// Where assets were not staged, the template names the app's folder, and its
// own hash, by which it is an asset itself, differs with that.
function hidePath(out, appDir) {
  const files = fs.readdirSync(out).filter((name) => name.endsWith('.json')).map((name) => path.join(out, name));
  const found = files.filter((file) => fs.readFileSync(file, 'utf8').includes(appDir));
  if (found.length === 0) return;
  const hashes = files.filter((file) => file.endsWith('.assets.json')).flatMap((file) => Object.entries(JSON.parse(fs.readFileSync(file)).files));
  const ofTemplates = hashes.filter(([, asset]) => asset.source.path.endsWith('.template.json')).map(([hash]) => hash);
  for (const file of files) {
    let text = fs.readFileSync(file, 'utf8').replaceAll(appDir, '@CASE@').replaceAll(/-current_region-[0-9a-f]{8}/g, '-current_region');
    for (const hash of ofTemplates) text = text.replaceAll(hash, 'f'.repeat(64));
    fs.writeFileSync(file, text);
  }
}

function rewrite(file, change) {
  fs.writeFileSync(file, `${JSON.stringify(change(JSON.parse(fs.readFileSync(file))), undefined, 1)}\n`);
}

function withoutTraces(metadata) {
  for (const [key, entries] of Object.entries(metadata)) {
    metadata[key] = entries.filter((e) => e.type !== 'aws:cdk:creationStack').map(({ trace, ...entry }) => entry);
  }
  return metadata;
}

function cleanManifest(manifest) {
  for (const [id, artifact] of Object.entries(manifest.artifacts)) {
    if (artifact.metadata) withoutTraces(artifact.metadata);
    if (noise.has(artifact.type)) delete manifest.artifacts[id];
  }
  return manifest;
}

// As many at a time as there are processors.
async function all() {
  const waiting = apps();
  const worker = async () => {
    for (let app = waiting.shift(); app; app = waiting.shift()) await synth(app);
  };
  await Promise.all(os.cpus().map(worker));
}

all().catch((error) => { console.error(error.message.replaceAll(/^.{500,}$/gm, '...')); process.exit(1); });
