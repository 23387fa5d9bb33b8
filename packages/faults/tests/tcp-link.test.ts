import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Backend, TcpLink } from '../src/links/tcp-link.ts';

/** A server that says its name and then echoes. */
async function echo(name: string): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.write(name);
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

class Caller {
  readonly socket: Socket;
  text = '';
  isReset = false;

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.on('data', (chunk: Buffer) => {
      this.text += chunk.toString();
    });
    this.socket.on('error', () => {
      this.isReset = true;
    });
  }
}

describe('a link', () => {
  let servers: readonly Server[];
  let link: TcpLink;
  const down = new Set<number>();

  beforeEach(async () => {
    servers = [await echo('a'), await echo('b')];
    down.clear();
    const backends = servers.map((server, index): Backend => {
      return { port: (server.address() as AddressInfo).port, isAvailable: () => !down.has(index) };
    });
    link = await new TcpLink('test', backends).listen();
  });
  afterEach(async () => {
    await link[Symbol.asyncDispose]();
    servers.forEach((server) => server.close());
  });

  test('spreads connections over the backends that take them', async () => {
    const callers = [new Caller(link.port), new Caller(link.port)];
    await expect.poll(() => callers.map(({ text }) => text).sort()).toEqual(['a', 'b']);
    down.add(0);
    const later = [new Caller(link.port), new Caller(link.port)];
    await expect.poll(() => later.map(({ text }) => text)).toEqual(['b', 'b']);
    servers[0]?.close();
    down.clear();
    const refused = [new Caller(link.port), new Caller(link.port)];
    await expect.poll(() => refused.map(({ text }) => text)).toEqual(['b', 'b']);
  });

  test('resets connections when no backend is there, and when it is cut', async () => {
    const caller = new Caller(link.port);
    await expect.poll(() => caller.text.length).toBe(1);
    expect(link.cut()).toBe(1);
    await expect.poll(() => caller.isReset).toBe(true);
    down.add(0).add(1);
    const next = new Caller(link.port);
    await expect.poll(() => next.isReset).toBe(true);
    expect(link.connections).toBe(0);
  });

  test.each([['forth'], ['back']] as const)('holds %s and delivers in order when it is healed', async (direction) => {
    const caller = new Caller(link.port);
    await expect.poll(() => caller.text.length).toBe(1);
    link.conditions.hold(direction);
    caller.socket.write('1');
    caller.socket.write('2');
    await delay(100);
    expect(caller.text).toHaveLength(1);
    link.conditions.heal();
    caller.socket.write('3');
    await expect.poll(() => caller.text.slice(1)).toBe('123');
  });

  test('can be parted from one backend while the other one is there', async () => {
    const callers = [new Caller(link.port), new Caller(link.port)];
    await expect.poll(() => callers.map(({ text }) => text).sort()).toEqual(['a', 'b']);
    link.towards[0]?.hold('forth', 'back');
    callers.forEach(({ socket }) => socket.write('1'));
    await expect.poll(() => callers.map(({ text }) => text).sort()).toEqual(['a', 'b1']);
    const later = [new Caller(link.port), new Caller(link.port)];
    await expect.poll(() => later.map(({ text }) => text)).toEqual(['b', 'b']);
    link.heal();
    await expect.poll(() => callers.map(({ text }) => text).sort()).toEqual(['a1', 'b1']);
  });

  test('is late and cuts into slices without losing anything', async () => {
    link.conditions.delayMs = 30;
    link.conditions.sliceBytes = 2;
    const caller = new Caller(link.port);
    const text = 'x'.repeat(50);
    caller.socket.write(text);
    await expect.poll(() => caller.text.slice(1), { timeout: 5000 }).toBe(text);
  });

  test('loses connections by chance', async () => {
    link.conditions.lossyShare = 0.5;
    const draws = [0.4, 0.6];
    link.conditions.random = () => draws.shift() ?? 1;
    const callers = [new Caller(link.port), new Caller(link.port)];
    await expect.poll(() => callers.map(({ isReset, text }) => isReset || text.length === 1)).toEqual([true, true]);
    expect(callers.filter(({ isReset }) => isReset)).toHaveLength(1);
  });

  test('loses the answer to a request that was made, and the connection, as often as it is told to', async () => {
    const caller = new Caller(link.port);
    await expect.poll(() => caller.text.length).toBe(1);
    const made: string[] = [];
    servers.forEach((server) => {
      server.on('connection', (socket) => socket.on('data', (request: Buffer) => made.push(request.toString())));
    });
    link.conditions.losesAnswerTo = (request) => request.toString() === 'commit';
    const next = new Caller(link.port);
    await expect.poll(() => next.text.length).toBe(1);
    next.socket.write('begin');
    await expect.poll(() => next.text.slice(1)).toBe('begin');
    next.socket.write('commit');
    await expect.poll(() => next.isReset).toBe(true);
    expect({ told: next.text.slice(1), made }).toEqual({ told: 'begin', made: ['begin', 'commit'] });
    link.heal();
    caller.socket.write('commit');
    await expect.poll(() => caller.text.slice(1)).toBe('commit');
  });

  test('passes the end of the backend on to the caller', async () => {
    const caller = new Caller(link.port);
    await expect.poll(() => caller.text.length).toBe(1);
    const closed = once(caller.socket, 'close');
    caller.socket.end();
    await closed;
    expect(caller.isReset).toBe(false);
  });
});
