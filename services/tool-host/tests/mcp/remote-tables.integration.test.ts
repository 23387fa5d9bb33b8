import { brandId, type CallId, type RunId, type SessionId, type Uid } from '@spanwise/kernel';
import { mysqlServerUrl } from '@spanwise/testing';
import { describe, expect, test } from 'vitest';
import { InMemoryRemoteQuestions, type RemoteQuestions } from '../../src/infrastructure/mcp/remote-questions.ts';
import { InMemoryToolPins, maxPinsPerServer, type ToolPins } from '../../src/infrastructure/mcp/tool-pins.ts';
import { SqlRemoteQuestions } from '../../src/infrastructure/persistence/sql-remote-questions.ts';
import { SqlToolPins } from '../../src/infrastructure/persistence/sql-tool-pins.ts';
import { ids, type LedgerSet, mysqlLedger, sqliteLedger } from '../ledger-sets.ts';

interface Tables extends AsyncDisposable {
  readonly pins: ToolPins;
  readonly questions: RemoteQuestions;
  readonly set?: LedgerSet;
}

async function inMemory(): Promise<Tables> {
  const [pins, questions] = [new InMemoryToolPins(), new InMemoryRemoteQuestions()];
  return { pins, questions, [Symbol.asyncDispose]: async () => undefined };
}

async function onSql(open: () => Promise<LedgerSet>): Promise<Tables> {
  const set = await open();
  if (set.database === undefined) {
    throw new TypeError('it has no database');
  }
  const { sql } = set.database;
  const [pins, questions] = [new SqlToolPins(sql), new SqlRemoteQuestions(sql)];
  return { pins, questions, set, [Symbol.asyncDispose]: () => set[Symbol.asyncDispose]() };
}

function newCall() {
  return {
    uid: brandId<Uid>('ann'),
    sessionId: brandId<SessionId>(ids.uuid()),
    runId: brandId<RunId>(ids.uuid()),
    callId: brandId<CallId>(ids.uuid()),
  };
}

function contract(open: () => Promise<Tables>): void {
  test('keeps how tools were described when they were first seen', async () => {
    await using tables = await open();
    const { pins } = tables;
    expect(
      await pins.see(
        'a',
        new Map([
          ['x', '1'],
          ['y', '2'],
        ]),
      ),
    ).toEqual(
      new Map([
        ['x', '1'],
        ['y', '2'],
      ]),
    );
    expect(
      await pins.see(
        'a',
        new Map([
          ['x', 'other'],
          ['z', '3'],
        ]),
      ),
    ).toEqual(
      new Map([
        ['x', '1'],
        ['y', '2'],
        ['z', '3'],
      ]),
    );
    expect(await pins.see('b', new Map([['x', '9']]))).toEqual(new Map([['x', '9']]));
    await pins.allow('a', 'x', 'other');
    expect(await pins.see('a', new Map())).toEqual(
      new Map([
        ['x', 'other'],
        ['y', '2'],
        ['z', '3'],
      ]),
    );
  });

  test('lets all who look at once see the same', async () => {
    await using tables = await open();
    const { pins } = tables;
    const seen = await Promise.all(
      Array.from({ length: 8 }, async (_, index) => (await pins.see('a', new Map([['x', `${index}`]]))).get('x')),
    );
    expect(new Set(seen).size).toBe(1);
  });

  test('keeps no more tools of a server than are good for anybody', async () => {
    await using tables = await open();
    const tools = Array.from({ length: maxPinsPerServer + 5 }, (_, index): [string, string] => [`t${index}`, 'h']);
    expect((await tables.pins.see('a', new Map(tools))).size).toBe(maxPinsPerServer);
  });

  test('keeps what a call was asked until it is forgotten', async () => {
    await using tables = await open();
    const { questions } = tables;
    const [call, other] = [newCall(), newCall()];
    expect(await questions.find(call)).toBeUndefined();
    await questions.keep(call, 'first');
    await questions.keep(call, 'second \u{1f600}');
    await questions.keep(other, 'other');
    expect(await questions.find(call)).toBe('second \u{1f600}');
    await questions.forget(call);
    expect([await questions.find(call), await questions.find(other)]).toEqual([undefined, 'other']);
  });
}

describe('in memory', () => contract(inMemory));

describe('SQLite', () => {
  contract(() => onSql(sqliteLedger));

  test('forgets what calls of a session were asked together with the session', async () => {
    await using tables = await onSql(sqliteLedger);
    const call = newCall();
    await tables.questions.keep(call, 'asked');
    await tables.set?.ledger.deleteSession(call.sessionId);
    expect(await tables.questions.find(call)).toBeUndefined();
  });
});

describe.skipIf(mysqlServerUrl === undefined)('MySQL', () => contract(() => onSql(mysqlLedger)));
