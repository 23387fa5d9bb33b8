import { fork } from 'node:child_process';
import { createServer } from 'node:http';
import { chunks, done } from './tests/doubles/model-server.ts';
let mode='s2';
const server = createServer(async (req, res) => {
  const bufs: Buffer[] = []; for await (const b of req) bufs.push(b as Buffer);
  const body = JSON.parse(Buffer.concat(bufs).toString());
  res.writeHead(200, { 'content-type': 'text/event-stream' });
  const turns = body.messages.filter((m: { role: string }) => m.role === 'assistant').length;
  if (mode==='s2' && turns < 5) { const call = (d: object) => ({ tool_calls: [{ index: 0, ...d }] }); res.end(chunks(call({ id: 'c', type: 'function', function: { name: 'read', arguments: '' } }), ...['{"pa', 'th":', '"/libr', 'ary/', 'a"}'].map((a) => call({ function: { arguments: a } })), 'tool_calls') + done); return; }
  for (let i = 0; i < (mode==='s2'?50:200); i++) res.write(chunks({ content: ' wor' })); res.end(chunks('stop') + done);
}).listen(0, '127.0.0.1');
await new Promise((r) => setTimeout(r, 50));
const child = fork('bench-floor.tmp.ts', [`http://127.0.0.1:${(server.address() as { port: number }).port}/v1`]);
await new Promise((r) => setTimeout(r, 500));
const ask=(m:object)=>new Promise<number>(r=>{child.once('message',r as never);child.send(m);});
console.log('floor S2 fetch', (await ask({via:'fetch',n:100,turns:6})).toFixed(2)); console.log('floor S2 sdk', (await ask({via:'sdk',n:100,turns:6})).toFixed(2));
mode='s1'; console.log('floor S1 fetch', (await ask({via:'fetch',n:100,turns:1})).toFixed(2)); console.log('floor S1 sdk', (await ask({via:'sdk',n:100,turns:1})).toFixed(2));
child.kill(); server.closeAllConnections(); server.close();
