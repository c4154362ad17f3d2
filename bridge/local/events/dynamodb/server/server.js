// Serves dynalite at a Unix socket for as long as standard input is open: the
// process that started this one holds the other end, so that its death, by
// whatever means, ends this one too.
'use strict';
const fs = require('node:fs');
const dynalite = require('dynalite');

const [socket, path] = process.argv.slice(2);
const server = dynalite({ path, createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });

function end() {
  fs.rmSync(socket, { force: true });
  process.exit(0);
}
process.stdin.on('end', end);
process.stdin.on('error', end);
process.stdin.resume();
// The parent ends this process by closing its standard input, after the
// requests under way.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});

server.on('error', (err) => {
  console.error(err.message);
  process.exit(1);
});
server.keepAliveTimeout = 0;
server.listen(socket, () => console.log('ready'));
