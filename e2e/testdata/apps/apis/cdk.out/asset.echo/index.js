// Does what a request asks for: answers with exactly the JSON of its header
// x-answer, fails, ends its process, waits, or else gives the event back.
const { setTimeout: sleep } = require('node:timers/promises');

exports.handler = async (event) => {
  const headers = Object.fromEntries(Object.entries(event.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]));
  switch (headers['x-do']) {
    case 'fail':
      throw new Error('asked to fail');
    case 'exit':
      process.exit(3);
    case 'sleep':
      await sleep(Number(headers['x-millis']));
  }
  if (headers['x-answer'] !== undefined) return JSON.parse(Buffer.from(headers['x-answer'], 'base64').toString());
  return { statusCode: 200, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(event) };
};
