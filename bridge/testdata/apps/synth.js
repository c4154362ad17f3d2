// Synthesises each app in this folder into its cdk.out (or below the folder
// given as argument), as `node app.js` does, without the cdk command.
//
// What differs from machine to machine is taken out of the assembly: the
// stack traces in its metadata, and the construct tree, which Bailey does not
// read.
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const target = process.argv[2];

for (const app of fs.readdirSync(__dirname).sort()) {
  const dir = path.join(__dirname, app);
  if (!fs.existsSync(path.join(dir, 'app.js'))) continue;
  const out = target ? path.resolve(target, app, 'cdk.out') : path.join(dir, 'cdk.out');
  fs.rmSync(out, { recursive: true, force: true });
  synth(dir, out);
  clean(out);
}

function synth(dir, out) {
  const own = path.join(dir, 'context.json');
  const context = { 'aws:cdk:version-reporting': false, ...(fs.existsSync(own) ? JSON.parse(fs.readFileSync(own)) : {}) };
  const env = { ...process.env, CDK_OUTDIR: out, CDK_CONTEXT_JSON: JSON.stringify(context), CDK_DISABLE_STACK_TRACE: '1', CDK_VALIDATION: 'false' };
  const run = spawnSync(process.execPath, ['app.js'], { cwd: dir, env, encoding: 'utf8' });
  if (run.status !== 0) {
    process.stderr.write(run.stderr);
    throw new Error(`${dir}: synthesis failed`);
  }
}

function clean(dir) {
  for (const entry of fs.readdirSync(dir, { withFileTypes: true })) {
    const file = path.join(dir, entry.name);
    if (entry.isDirectory() && entry.name.startsWith('assembly-')) clean(file);
    if (entry.name === 'tree.json') fs.rmSync(file);
    if (entry.name.endsWith('.metadata.json')) rewrite(file, withoutTraces);
    if (entry.name === 'manifest.json') rewrite(file, cleanManifest);
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
    if (artifact.type === 'cdk:tree' || artifact.type === 'cdk:feature-flag-report') delete manifest.artifacts[id];
  }
  return manifest;
}
