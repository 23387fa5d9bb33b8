import { ExecutionState, ExecutionStop } from '@spanwise/contracts/spanwise/tool/v1/tool';
import { ToolOutcome } from '@spanwise/contracts/spanwise/type/v1/message';
import { silentLogger } from '@spanwise/telemetry';
import { freshDatabase, mysqlServerUrl, startTcpProxy, type TcpProxy, type ThrowawayServer } from '@spanwise/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createToolHostService, openToolHostDatabase, type ToolHostRunningService } from '../src/composition-root.ts';
import { ProbeTools } from './probe-tools.ts';
import { testConfig } from './test-config.ts';
import { newCall, ToolHostClient } from './tool-host-client.ts';

/** A replica, and the way from it to the database. */
interface Replica {
  readonly host: ToolHostRunningService;
  readonly client: ToolHostClient;
  readonly probes: ProbeTools;
  readonly proxy: TcpProxy;
}

const leaseMs = 1500;

describe.skipIf(mysqlServerUrl === undefined)('replicas on one database', () => {
  let database: ThrowawayServer;
  let replicas: Replica[];

  beforeEach(async () => {
    database = await freshDatabase(mysqlServerUrl ?? '');
    await using migrating = await openToolHostDatabase(configFor(new URL(database.url).port));
    expect(await migrating.migrate()).toEqual([
      '0001-executions-fences-instances',
      '0002-approvals',
      '0003-audit',
      '0004-remote-tools',
    ]);
    replicas = [await startReplica(), await startReplica()];
  });

  afterEach(async () => {
    for (const { host, probes, proxy } of replicas) {
      probes.releaseAll();
      // Without a way to the database nothing waits for an answer.
      await proxy[Symbol.asyncDispose]();
      await host[Symbol.asyncDispose]();
    }
    await database[Symbol.asyncDispose]();
  });

  function configFor(port: string) {
    const url = new URL(database.url);
    url.port = port;
    const lease = { leaseMs, leaseRenewMs: 100, isAlone: false, migratesAtStart: false, drainMs: 0 };
    return testConfig({ databaseUrl: url.href, databasePoolSize: 4, ...lease });
  }

  async function startReplica(): Promise<Replica> {
    const proxy = await startTcpProxy(Number(new URL(database.url).port));
    const probes = new ProbeTools();
    const options = { logger: silentLogger, tools: probes.tools };
    const host = await createToolHostService(configFor(String(proxy.port)), options);
    return { host, proxy, probes, client: new ToolHostClient(host.url) };
  }

  function pair(): readonly [Replica, Replica] {
    const [first, second] = replicas;
    return first !== undefined && second !== undefined ? [first, second] : expect.fail('there are two');
  }

  test('executes a call once that comes to both', async () => {
    const [first, second] = pair();
    const call = newCall();
    const calls = [first, second, first, second].map(({ client }) => client.execute(call, 'once'));
    await Promise.race([first, second].map(({ probes }) => probes.begun('once')));
    first.probes.release('once');
    second.probes.release('once');
    expect((await Promise.all(calls)).map(({ text }) => text)).toEqual(Array(4).fill('once: 1'));
    expect((first.probes.counts.once ?? 0) + (second.probes.counts.once ?? 0)).toBe(1);
  });

  test('waits at one for what goes on at the other', async () => {
    const [first, second] = pair();
    const call = newCall();
    const executing = first.client.execute(call, 'once');
    await first.probes.begun('once');
    const waiting = second.client.get(call, 10_000);
    first.probes.release('once');
    expect((await waiting).state).toBe(ExecutionState.DONE);
    expect((await executing).text).toBe('once: 1');
  });

  test('stops at both what a fence at one of them is to stop', async () => {
    const [first, second] = pair();
    const call = newCall();
    const running = [
      [first, 'once', newCall({ ...call, callId: '00000000-0000-7000-8000-00000000000a' })],
      [second, 'again', newCall({ ...call, callId: '00000000-0000-7000-8000-00000000000b' })],
      [second, 'look', newCall({ ...call, callId: '00000000-0000-7000-8000-00000000000c' })],
      [second, 'deaf', newCall({ ...call, callId: '00000000-0000-7000-8000-00000000000d' })],
    ] as const;
    for (const [replica, tool, each] of running) {
      replica.client.execute(each, tool).catch(() => undefined);
      await replica.probes.begun(tool);
    }
    const other = second.client.execute(newCall(), 'once');
    const receipt = (await first.client.stop(call)).toSorted((a, b) => (a.callId < b.callId ? -1 : 1));
    expect(receipt.map(({ tool, outcome }) => [tool, outcome])).toEqual([
      ['once', ExecutionStop.STOPPED],
      ['again', ExecutionStop.STOPPED],
      ['look', ExecutionStop.STOPPED],
      ['deaf', ExecutionStop.UNSTOPPABLE],
    ]);
    second.probes.release('once');
    expect((await other).result?.outcome).toBe(ToolOutcome.OK);
  });

  test('judges by its effect what a replica had begun that was lost, and stops it there', async () => {
    const [lost, other] = pair();
    const [once, again] = [newCall(), newCall()];
    const executing = [lost.client.execute(once, 'once'), lost.client.execute(again, 'again')];
    void Promise.allSettled(executing);
    await Promise.all([lost.probes.begun('once'), lost.probes.begun('again')]);
    lost.proxy.freeze();
    other.probes.releaseAll();

    const startedMs = performance.now();
    const waiting = other.client.get(once, 20_000);
    const repeated = other.client.execute({ ...again, epoch: 2n }, 'again');
    expect((await waiting).state).toBe(ExecutionState.UNKNOWN);
    expect(performance.now() - startedMs).toBeLessThan(leaseMs + 1500);
    expect((await repeated).text).toBe('again: 1');
    const { result } = await other.client.execute({ ...once, epoch: 2n }, 'once');
    expect(result?.outcome).toBe(ToolOutcome.UNKNOWN);
    expect(other.probes.counts).toEqual({ again: 1 });
    // The lost one knows that it is: its tools were stopped before anyone took them for lost.
    await Promise.all([lost.probes.stopped('once'), lost.probes.stopped('again')]);
  });

  test('reports as unstoppable what a live replica executes that does not answer', async () => {
    const [silent, other] = pair();
    const call = newCall();
    silent.client.execute(call, 'once').catch(() => undefined);
    await silent.probes.begun('once');
    await using admin = await openToolHostDatabase(configFor(new URL(database.url).port));
    await admin.sql.run('update instances set address = ? where address = ?', ['http://127.0.0.1:1', silent.host.url]);
    expect(await other.client.stop(call)).toEqual([
      { callId: call.callId, tool: 'once', outcome: ExecutionStop.UNSTOPPABLE },
    ]);
  });

  test('begins again under another lease when the database is back', async () => {
    const [first] = pair();
    const call = newCall();
    first.probes.release('once');
    expect((await first.client.execute(call, 'once')).text).toBe('once: 1');
    await using admin = await openToolHostDatabase(configFor(new URL(database.url).port));
    const before = await admin.sql.all('select id from instances where address = ?', [first.host.url]);
    await admin.sql.run('update instances set lease_until = 0 where address = ?', [first.host.url]);
    await expect
      .poll(async () => (await first.client.execute(newCall(), 'once').catch(() => undefined))?.result?.outcome, {
        timeout: 10_000,
      })
      .toBe(ToolOutcome.OK);
    const after = await admin.sql.all('select id from instances where address = ? and lease_until > 0', [
      first.host.url,
    ]);
    expect(after).toHaveLength(1);
    expect(after).not.toEqual(before);
  });
});
