// The functions of a WebSocket API in one. A message says what to do with it:
// {"action": "ask", "do": "push"} and so on.
const post = (context, body) =>
  fetch(`https://${context.domainName}/${context.stage}/@connections/${encodeURIComponent(context.connectionId)}`, { method: 'POST', body });

exports.handler = async (event) => {
  const context = event.requestContext;
  const query = event.queryStringParameters ?? {};
  if (context.eventType === 'CONNECT') {
    if (query.do === 'fail') throw new Error('asked to fail');
    return { statusCode: Number(query.status ?? 200), headers: { 'Sec-WebSocket-Protocol': query.protocol ?? 'chat' } };
  }
  if (context.eventType === 'DISCONNECT') {
    console.log('gone', context.disconnectStatusCode, context.disconnectReason);
    return { statusCode: 200 };
  }
  let asked = {};
  try {
    asked = JSON.parse(event.body);
  } catch {} // any other message is echoed
  switch (asked.do) {
    case 'fail':
      throw new Error('asked to fail');
    case 'null':
      return null;
    case 'push':
      return { statusCode: (await post(context, asked.text)).status, body: 'pushed' };
    case 'callback': // the address that the template gives
      const to = `${process.env.CALLBACK_URL}/@connections/${encodeURIComponent(context.connectionId)}`;
      return { statusCode: (await fetch(to, { method: 'POST', body: asked.text })).status, body: 'called back' };
  }
  return { statusCode: 200, body: JSON.stringify(event) };
};
