import type { Socket } from 'node:net';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { answerOf, type Behaviour } from './counting-server.ts';

const zeros = Buffer.alloc(32 * 1024 * 1024);
const page = 'hello from the web';

/** Bodies that are 32 MiB once they are decoded, and a few kilobytes on the wire. */
const bombs: Readonly<Record<string, readonly [encoding: string, encode: () => Buffer]>> = {
  '/gzip-bomb': ['gzip', () => gzipSync(zeros)],
  '/br-bomb': ['br', () => brotliCompressSync(zeros, { params: { 1: 1 } })],
  '/zstd-bomb': ['zstd', () => zstdCompressSync(zeros)],
  '/deflate-bomb': ['deflate', () => deflateSync(zeros)],
  '/raw-deflate-bomb': ['deflate', () => deflateRawSync(zeros)],
  '/nested-bomb': ['gzip, gzip', () => gzipSync(gzipSync(zeros))],
  // 40 MiB of members that hold nothing: it is big in the middle and nothing at the end.
  '/hollow-bomb': ['gzip, br', () => brotliCompressSync(Buffer.alloc(40_000_000, gzipSync('')), { params: { 1: 1 } })],
};

const encodings: Readonly<Record<string, readonly [encoding: string, body: Buffer]>> = {
  '/plain': ['identity', Buffer.from(page)],
  '/gzip': ['gzip', gzipSync(page)],
  '/br': ['br', brotliCompressSync(page)],
  '/zstd': ['zstd', zstdCompressSync(page)],
  '/deflate': ['deflate', deflateSync(page)],
  '/raw-deflate': ['Deflate', deflateRawSync(page)],
  '/twice': ['gzip, br', brotliCompressSync(gzipSync(page))],
  '/thrice': ['gzip, gzip, gzip', gzipSync(gzipSync(gzipSync(page)))],
  '/empty-gzip': ['gzip', Buffer.alloc(0)],
  '/not-gzip': ['gzip', Buffer.from('this is no gzip at all')],
  '/cut-gzip': ['gzip', gzipSync(page).subarray(0, 20)],
  '/compress': ['compress', Buffer.from(page)],
};

/** Every way to answer that is not what a client hopes for, by path. */
export const hostileAnswers: Readonly<Record<string, Behaviour>> = {
  ...mapped(
    bombs,
    ([encoding, encode]) =>
      (socket) =>
        sendEncoded(socket, encoding, encode()),
  ),
  ...mapped(
    encodings,
    ([encoding, body]) =>
      (socket) =>
        sendEncoded(socket, encoding, body),
  ),
  '/members': (socket) => {
    socket.write('HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n');
    writeForever(socket, Buffer.alloc(20_000, gzipSync('')));
  },
  '/endless': (socket) => {
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    writeForever(socket, Buffer.alloc(16_384, 'a'));
  },
  '/endless-chunks': (socket) => {
    socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n');
    writeForever(socket, Buffer.from(`4000\r\n${'a'.repeat(0x4000)}\r\n`));
  },
  '/silence': () => {},
  '/slow-headers': (socket) => drip(socket, `HTTP/1.1 200 OK\r\nx-long: ${'a'.repeat(10_000)}`),
  '/slow-body': (socket) => {
    socket.write('HTTP/1.1 200 OK\r\ncontent-length: 10000\r\n\r\n');
    drip(socket, 'a'.repeat(10_000));
  },
  '/slow-gzip': (socket) => {
    socket.write('HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n');
    drip(socket, gzipSync(Buffer.from(Array.from({ length: 9000 }, (_, index) => index % 251))).toString('latin1'));
  },
  '/too-short': (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly this'),
  '/too-long': (socket) => socket.end(`HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n${page}`),
  '/cut-chunk': (socket) => socket.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nff\r\nonly this'),
  '/two-lengths': (socket) => socket.end(`HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 9\r\n\r\n${page}`),
  '/length-and-chunks': (socket) =>
    socket.end('HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n'),
  '/negative-length': (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\nhello'),
  '/http09': (socket) => socket.end('<html>an answer of 1991</html>\n'),
  '/rubbish': (socket) => socket.end(Buffer.alloc(4096, 0x80)),
  '/nothing': (socket) => socket.end(),
  '/reset': (socket) => socket.resetAndDestroy(),
  '/huge-header': (socket) => socket.end(answerOf(page, `x-huge: ${'a'.repeat(100_000)}\r\n`)),
  '/many-headers': (socket) => socket.end(answerOf(page, 'x-one: of many\r\n'.repeat(10_000))),
  '/endless-header': (socket) => {
    socket.write('HTTP/1.1 200 OK\r\n');
    writeForever(socket, Buffer.from('x-one: of many\r\n'.repeat(100)));
  },
  '/hints': (socket) => {
    socket.write('HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\n'.repeat(3));
    socket.end(answerOf(page));
  },
  '/hint-flood': (socket) =>
    writeForever(socket, Buffer.from('HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n'.repeat(9))),
  '/continue': (socket) => writeForever(socket, Buffer.from('HTTP/1.1 100 Continue\r\n\r\n'.repeat(9))),
  '/switch': (socket) =>
    socket.write('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\nrubbish'),
  '/two-answers': (socket) => socket.write(answerOf('first') + answerOf('for somebody else')),
  '/status-999': (socket) => socket.end(answerOf(page, '', '999 What')),
  '/status-099': (socket) => socket.end(answerOf(page, '', '099 What')),
  '/cookie': (socket) => socket.end(answerOf(page, 'set-cookie: a=secret; Path=/\r\nset-cookie: b=2\r\n')),
  '/loop': redirectTo('/loop'),
  '/redirect-nowhere': redirectTo('http://['),
  '/redirect-empty': (socket) => socket.end(answerOf(page, 'location:\r\n', '302 Found')),
};

/** Answers with a redirect. */
export function redirectTo(location: string, status = 302): Behaviour {
  return (socket) => socket.end(answerOf('', `location: ${location}\r\n`, `${status} Redirect`));
}

function mapped<Value>(entries: Readonly<Record<string, Value>>, toBehaviour: (value: Value) => Behaviour) {
  return Object.fromEntries(Object.entries(entries).map(([path, value]) => [path, toBehaviour(value)]));
}

function sendEncoded(socket: Socket, encoding: string, body: Buffer): void {
  socket.write(`HTTP/1.1 200 OK\r\ncontent-encoding: ${encoding}\r\ncontent-length: ${body.byteLength}\r\n\r\n`);
  socket.end(body);
}

function writeForever(socket: Socket, piece: Buffer): void {
  const more = () => {
    while (!socket.destroyed && socket.write(piece)) {}
  };
  socket.on('drain', more);
  more();
}

/** A byte every 50 ms. */
function drip(socket: Socket, text: string): void {
  let at = 0;
  const timer = setInterval(() => socket.write(text.charAt(at++), 'latin1'), 50);
  socket.on('close', () => clearInterval(timer));
}
