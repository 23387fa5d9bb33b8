import { expect, test } from 'vitest';
import { readBroker } from './broker-messages.ts';

test('what the broker says is read in pieces, and messages can be published as they were', () => {
  const said = 'INFO {}\r\nMSG a.b 1 2\r\nhi\r\nMSG a.c 1 to.me 0\r\n\r\nPING\r\nHMSG a.d 1 to.me 3 5\r\nh\r\nyo\r\n';
  const messages = [
    { subject: 'a.b', publish: 'PUB a.b 2\r\nhi\r\n' },
    { subject: 'a.c', publish: 'PUB a.c to.me 0\r\n\r\n' },
    { subject: 'a.d', publish: 'HPUB a.d to.me 3 5\r\nh\r\nyo\r\n' },
  ];
  expect(readBroker(said)).toEqual({ messages, isPinged: true, rest: '' });
  for (const cut of said.split('').keys()) {
    const first = readBroker(said.slice(0, cut));
    const second = readBroker(first.rest + said.slice(cut));
    expect([...first.messages, ...second.messages]).toEqual(messages);
    expect(first.isPinged !== second.isPinged).toBe(true);
  }
});
