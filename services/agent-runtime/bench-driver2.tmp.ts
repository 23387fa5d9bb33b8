import { fork } from 'node:child_process';
import { createServer } from 'node:http';
import { Telemetry } from '@spanwise/telemetry';
import { chunks, done } from './tests/doubles/model-server.ts';
import { startPeerServices } from './tests/doubles/peer-services.ts';
import { runtimeClient, TestDriver } from './tests/doubles/test-driver.ts';
const prof = process.env.PROF ? ['--cpu-prof', '--cpu-prof-dir=/tmp/arbench'] : [];
let mode = 's1'; let pace = 0;
const server = createServer(async (req, res) => {
  const bufs: Buffer[] = []; for await (const b of req) bufs.push(b as Buffer);
  const body = JSON.parse(Buffer.concat(bufs).toString());
  res.writeHead(200, { 'content-type': 'text/event-stream' });
  if (mode === 's2') { const turns = body.messages.filter((m: { role: string }) => m.role === 'assistant').length;
    if (turns < 5) { const call = (d: object) => ({ tool_calls: [{ index: 0, ...d }] }); res.end(chunks(call({ id: 'c', type: 'function', function: { name: 'read', arguments: '' } }), ...['{"pa', 'th":', '"/libr', 'ary/', 'a"}'].map((a) => call({ function: { arguments: a } })), 'tool_calls') + done); return; }
    for (let i = 0; i < 50; i++) res.write(chunks({ content: ' wor' })); res.end(chunks('stop') + done); return; }
  const n = mode === 's1' ? 200 : 2000;
  for (let i = 0; i < n; i++) { res.write(chunks({ content: ' wor' })); if (pace) await new Promise((r) => setTimeout(r, pace)); }
  res.end(chunks('stop') + done);
}).listen(0, '127.0.0.1');
await new Promise((r) => setTimeout(r, 50));
const peers = await startPeerServices();
const child = fork('bench-service.tmp.ts', [`http://127.0.0.1:${(server.address() as { port: number }).port}/v1`, peers.server.url], { execArgv: prof });
const { url, stats } = await new Promise<{ url: string; stats: number }>((r) => child.once('message', r as never));
const cpu = async () => (await (await fetch(`http://127.0.0.1:${stats}`)).json()) as { cpu: number; mem: number };
const client = runtimeClient(url, new Telemetry({ service: 'x', env: {} }));
const run = () => new TestDriver(client).start().finished;
async function bench(name: string, runs: number, parallel: number, warm: number) {
  for (let i = 0; i < warm; i++) await run();
  const a = await cpu(); const t = performance.now();
  let left = runs; await Promise.all(Array.from({ length: parallel }, async () => { while (left-- > 0) await run(); }));
  const b = await cpu();
  console.log(name, ((b.cpu - a.cpu) / runs).toFixed(2), 'ms CPU/run', ((performance.now() - t) / runs).toFixed(1), 'ms wall', b.mem.toFixed(0), 'MB');
}
await bench('S1', 1500, 1, 50);
{ const d = new TestDriver(client).start(); await d.finished; console.log('frames', d.frames.length); }
child.kill(); await peers[Symbol.asyncDispose](); server.closeAllConnections(); server.close();
